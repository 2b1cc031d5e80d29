import Foundation

/// Photographs of clothes in ten classes: H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST", arXiv:1708.07747.
public struct FashionMNIST: CataloguedDataset {
  private static let package = "dataset-fashion-mnist"
  private static let classNames = [
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
  ]

  /// The catalogue's own.
  public init() {}

  /// What there is to know about it.
  public var card: DatasetCard {
    DatasetCard(
      name: "fashion-mnist",
      summary: "70,000 grey photographs of clothes, 28x28 pixels, in 10 classes",
      licence: "MIT, copyright 2017 Zalando SE",
      origin: "Debian package \(Self.package)",
      fields: ["image: uint8[1,28,28]", "label: int32[]"],
      unit: "images",
      parts: [.init(split: .train, count: 60_000), .init(split: .test, count: 10_000)],
      files: [
        .init(
          name: "train-images-idx3-ubyte.gz", bytes: 26_421_856,
          sha256: "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7"),
        .init(
          name: "train-labels-idx1-ubyte.gz", bytes: 29_491,
          sha256: "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056"),
        .init(
          name: "t10k-images-idx3-ubyte.gz", bytes: 4_422_079,
          sha256: "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa"),
        .init(
          name: "t10k-labels-idx1-ubyte.gz", bytes: 5_125,
          sha256: "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05"),
      ],
      systemFolder: "/usr/share/datasets/fashion-mnist")
  }

  /// Brings it onto this machine; see `CataloguedDataset`.
  public func install(in folder: URL, progress: (String) -> Void) throws {
    if !isInstalled(in: folder) { try PackageInstaller.installDebian(Self.package, progress: progress) }
    progress("checking \(card.name)")
    try verify(in: folder)
  }

  /// Opens a split that is installed; see `CataloguedDataset`.
  public func open(_ split: DataSplit, in folder: URL, options _: OpenOptions) throws -> OpenedSplit {
    let place = try installedLocation(in: folder)
    guard let source = try IDXFolder(url: place).open(split, classCount: Self.classNames.count) else {
      throw missing(split)
    }
    return OpenedSplit(
      source, input: "image", classCount: Self.classNames.count, classNames: Self.classNames,
      statistics: FieldStatistics(scale: 1 / 255, mean: [0.286_040_6], deviation: [0.353_024_24]))
  }
}
