// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "Benchmarks",
    platforms: [.macOS(.v26)],
    products: [
        .executable(name: "bench", targets: ["bench"]),
        // For the micro suites, a package of their own.
        .library(name: "CMeasurement", targets: ["CMeasurement"]),
    ],
    dependencies: [
        .package(name: "TensorPool", path: "..")
    ],
    targets: [
        // Clock, page faults, resident memory, samples, threads: what every worker measures with, in one copy.
        .target(
            name: "CMeasurement",
            linkerSettings: [.linkedLibrary("m"), .linkedLibrary("pthread"), .linkedLibrary("dl")]),

        // The workers, each run in a process of its own. In C, for whatever malloc is in the process:
        .executableTarget(
            name: "peer-worker", dependencies: ["CMeasurement"],
            // The compiler must not know what malloc and free do, or it drops them.
            cSettings: [.unsafeFlags(["-fno-builtin"])]
        ),
        // The same loops in Swift.
        .target(name: "Workloads", dependencies: ["CMeasurement"], swiftSettings: strict),
        // In Swift, for the pools:
        .executableTarget(
            name: "pool-worker",
            dependencies: [
                "Workloads", "CMeasurement", .product(name: "TensorPool", package: "TensorPool"),
                .product(name: "Jemalloc", package: "TensorPool"),
                .product(name: "TensorTrace", package: "TensorPool"),
            ],
            swiftSettings: strict),
        // In Swift, for what the language itself offers, in a process without jemalloc:
        .executableTarget(name: "swift-worker", dependencies: ["Workloads", "CMeasurement"], swiftSettings: strict),

        // Runs the workers in turn, and reports.
        .executableTarget(
            name: "bench", dependencies: ["CMeasurement", .product(name: "AllocationTrace", package: "TensorPool")],
            swiftSettings: strict),
        .testTarget(
            name: "BenchTests",
            dependencies: ["bench", .product(name: "AllocationTrace", package: "TensorPool")], swiftSettings: strict),
    ]
)
