// swift-tools-version: 6.0
import PackageDescription

/// The house: `docs/architecture.md` says what lives where, `scripts/check-architecture` keeps the walls.
let package = Package(
  name: "Pando",
  products: [
    .library(name: "Pando", targets: ["Pando", "PandoNN", "PandoOptimizers", "PandoData", "PandoTraining"]),
    .executable(name: "pando", targets: ["PandoCommand"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
  ],
  targets: [
    .target(
      name: "CPandoKernels",
      linkerSettings: [.linkedLibrary("m"), .linkedLibrary("gomp")]),
    .target(name: "COneDNN", linkerSettings: [.linkedLibrary("dnnl")]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "CFiles"),
    .target(name: "CMPI", linkerSettings: [.linkedLibrary("dl"), .linkedLibrary("pthread")]),

    .target(name: "PandoIR"),
    .target(name: "PandoOperations", dependencies: ["PandoIR"]),
    .target(name: "PandoTransforms", dependencies: ["PandoIR", "PandoOperations"]),
    .target(name: "PandoEngine", dependencies: ["PandoIR", "PandoOperations", "CFiles"]),
    .target(name: "PandoMPI", dependencies: ["PandoIR", "PandoEngine", "CMPI"]),
    .target(
      name: "PandoCPU",
      dependencies: [
        "PandoIR", "PandoOperations", "PandoTransforms", "PandoEngine", "COneDNN", "CPandoKernels",
      ]),
    .target(
      name: "Pando",
      dependencies: ["PandoIR", "PandoOperations", "PandoTransforms", "PandoEngine", "PandoCPU"]),
    .target(name: "PandoNN", dependencies: ["Pando"]),
    .target(name: "PandoOptimizers", dependencies: ["Pando", "PandoNN"]),
    .target(name: "PandoData", dependencies: ["PandoIR", "CZlib"]),
    .target(name: "PandoEnergy"),
    .target(
      name: "PandoPlanning", dependencies: ["Pando", "PandoData", .product(name: "Yams", package: "Yams")]),
    .target(
      name: "PandoTraining",
      dependencies: [
        "Pando", "PandoNN", "PandoOptimizers", "PandoData", "PandoEnergy",
        .product(name: "Yams", package: "Yams"),
      ]),
    .executableTarget(
      name: "PandoCommand",
      dependencies: [
        "PandoTraining", "PandoEnergy", "PandoPlanning", "PandoMPI",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .target(name: "PandoTestSupport", dependencies: ["PandoEngine", "Pando"]),

    .testTarget(name: "PandoIRTests", dependencies: ["PandoIR", "PandoOperations", "PandoTestSupport"]),
    .testTarget(name: "CPandoKernelsTests", dependencies: ["CPandoKernels"]),
    .testTarget(name: "PandoOperationsTests", dependencies: ["PandoOperations", "PandoTestSupport"]),
    .testTarget(name: "PandoTransformsTests", dependencies: ["PandoTransforms", "PandoTestSupport"]),
    .testTarget(name: "PandoEngineTests", dependencies: ["PandoEngine", "PandoTestSupport"]),
    .executableTarget(
      name: "RankFixture", dependencies: ["PandoIR", "PandoEngine", "PandoMPI"]),
    .testTarget(name: "PandoMPITests", dependencies: ["PandoMPI", "RankFixture"]),
    .testTarget(name: "PandoCPUTests", dependencies: ["PandoCPU", "PandoTestSupport"]),
    .testTarget(name: "PandoTests", dependencies: ["Pando", "PandoTestSupport"]),
    .testTarget(
      name: "PandoNNTests", dependencies: ["PandoNN", "PandoData", "PandoOptimizers", "PandoTestSupport"],
      exclude: ["Golden"]),
    .testTarget(name: "PandoOptimizersTests", dependencies: ["PandoOptimizers", "PandoTestSupport"]),
    .testTarget(name: "PandoDataTests", dependencies: ["PandoData"]),
    .testTarget(name: "PandoEnergyTests", dependencies: ["PandoEnergy"]),
    .testTarget(
      name: "PandoTrainingTests", dependencies: ["PandoTraining", "PandoEnergy", "PandoTestSupport"]),
    .testTarget(name: "PandoPlanningTests", dependencies: ["PandoPlanning", "PandoTestSupport"]),
    .testTarget(name: "PandoCommandTests", dependencies: ["PandoData"]),
  ],
  swiftLanguageModes: [.v6]
)
