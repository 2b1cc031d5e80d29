// swift-tools-version: 6.0
import PackageDescription

let package = Package(
  name: "Classifier",
  dependencies: [.package(name: "Pando", path: "../..")],
  targets: [
    .executableTarget(name: "Classifier", dependencies: [.product(name: "Pando", package: "Pando")])
  ],
  swiftLanguageModes: [.v6]
)
