// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "Micro",
    platforms: [.macOS(.v26)],
    dependencies: [
        .package(name: "TensorPool", path: "../.."),
        .package(name: "Benchmarks", path: ".."),
        // Without its malloc interposer: it would stand between the pools and jemalloc.
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.0", traits: []),
    ],
    targets: [
        // The plugin looks for suites in a folder named Benchmarks.
        .executableTarget(
            name: "PoolSuites",
            dependencies: [
                .product(name: "Benchmark", package: "benchmark"),
                .product(name: "TensorPool", package: "TensorPool"),
                .product(name: "Jemalloc", package: "TensorPool"),
                .product(name: "CMeasurement", package: "Benchmarks"),
            ],
            path: "Benchmarks/PoolSuites",
            swiftSettings: strict,
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")])
    ]
)
