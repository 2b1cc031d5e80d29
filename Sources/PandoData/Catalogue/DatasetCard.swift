/// A part of a data set that is used for one purpose.
public enum DataSplit: String, Sendable, Codable, CaseIterable {
  /// What the network learns from.
  case train
  /// Held out, to choose between settings.
  case validation
  /// Held out, to report.
  case test
}

/// What there is to know about a data set before it is opened.
public struct DatasetCard: Sendable, Codable, Hashable {
  /// One file of the data set, pinned.
  public struct File: Sendable, Codable, Hashable {
    /// Its name inside the data set's folder.
    public let name: String
    /// Its size.
    public let bytes: Int
    /// The SHA-256 digest of its contents, in hexadecimal.
    public let sha256: String
  }

  /// One split and how much it holds.
  public struct Part: Sendable, Codable, Hashable {
    /// Which split.
    public let split: DataSplit
    /// How many samples or characters.
    public let count: Int
  }

  /// The name by which recipes ask for it.
  public let name: String
  /// What it is, in a sentence.
  public let summary: String
  /// Under what terms it may be used.
  public let licence: String
  /// How it is got, for people.
  public let origin: String
  /// What a sample consists of: names and types.
  public let fields: [String]
  /// What `parts` count: images or characters.
  public let unit: String
  /// The splits.
  public let parts: [Part]
  /// The files.
  public let files: [File]
  /// The folder where the operating system's package puts the files; `nil` where they are kept in the data folder.
  public let systemFolder: String?

  /// The held-out split that a run is judged on.
  public var evaluationSplit: DataSplit { parts.map(\.split).first { $0 != .train } ?? .train }
}
