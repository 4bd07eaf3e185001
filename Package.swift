// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "TensorPool",
    platforms: [.macOS(.v26)],
    products: [
        .library(name: "TensorPool", targets: ["TensorPool"]),
        .library(name: "TensorPoolServiceLifecycle", targets: ["TensorPoolServiceLifecycle"]),
        .library(name: "Jemalloc", targets: ["Jemalloc"]),
        .library(name: "AllocationTrace", targets: ["AllocationTrace"]),
        .library(name: "TensorTrace", targets: ["TensorTrace"]),
        // Loaded into other programs by `tensor-pool record`; not to be linked.
        .library(name: "tensorpool-recorder", type: .dynamic, targets: ["CTraceRecorder"]),
        .executable(name: "tensor-pool", targets: ["tensor-pool"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/ordo-one/TextTable", .upToNextMinor(from: "0.0.2")),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", .upToNextMinor(from: "0.2.0")),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // The C libraries, and what Swift cannot say (a thread-local slot, a compiler fence; checkers, stacks, faults; the parent).
        .systemLibrary(
            name: "CJemalloc",
            path: "Modules/CJemalloc",
            pkgConfig: "jemalloc",
            providers: [.apt(["libjemalloc-dev"]), .brew(["jemalloc"])]
        ),
        .systemLibrary(
            name: "CZlib",
            path: "Modules/CZlib",
            pkgConfig: "zlib",
            providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]
        ),
        .target(name: "CThreadSlot"),
        .target(name: "CDebugging"),
        .target(name: "CParentProcess"),

        // The libraries.
        .target(name: "Jemalloc", dependencies: ["CJemalloc"], swiftSettings: strict),
        .target(
            name: "TensorPool", dependencies: ["Jemalloc", "CThreadSlot", "CDebugging"],
            swiftSettings: strict + [.enableExperimentalFeature("Lifetimes")]),
        // The memory pressure monitor as a service: apart, so that TensorPool needs no package.
        .target(
            name: "TensorPoolServiceLifecycle",
            dependencies: [
                "TensorPool", .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        // Traces and measuring, without jemalloc: the helper that measures the system's malloc uses it too.
        .target(
            name: "AllocationTrace",
            dependencies: ["CParentProcess", "CZlib", .product(name: "Histogram", package: "hdrhistogram-swift")],
            swiftSettings: strict + [.enableExperimentalFeature("Lifetimes")]),

        // The recorder of TensorPool's allocators.
        .target(
            name: "TensorTrace", dependencies: ["TensorPool", "AllocationTrace", "CThreadSlot"],
            swiftSettings: strict + [.enableExperimentalFeature("Lifetimes")]),
        // The recorder that `tensor-pool record` loads into programs. It must not bring the Swift runtime along, and
        // "Embedded" is what keeps SwiftPM from linking it.
        .target(
            name: "CTraceRecorder", linkerSettings: [.unsafeFlags(["-enable-experimental-feature", "Embedded"])]),

        // The command, and its helper that measures the system's malloc in a process without jemalloc.
        .executableTarget(
            name: "tensor-pool",
            dependencies: [
                "TensorPool", "Jemalloc", "AllocationTrace",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "TextTable", package: "TextTable"),
                .product(name: "Mustache", package: "swift-mustache"),
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "tensor-pool-system", dependencies: ["AllocationTrace"], swiftSettings: strict),

        // Random work on pools beside a model of it: what the tests, the fuzzer and the soak run.
        .target(name: "PoolModel", dependencies: ["TensorPool"], path: "Tests/PoolModel", swiftSettings: strict),
        // What a fuzzer's bytes are given to: the fuzzer's, and the tests that run its kept inputs.
        .target(
            name: "FuzzTargets", dependencies: ["PoolModel", "TensorPool", "AllocationTrace", "CZlib"],
            path: "Tests/FuzzTargets", swiftSettings: strict),
        .testTarget(
            name: "FuzzCorpusTests", dependencies: ["FuzzTargets", "PoolModel"], swiftSettings: strict),
        // What AddressSanitizer and Valgrind are tested with.
        .executableTarget(
            name: "misused-tensors", dependencies: ["TensorPool", "CDebugging"], path: "Tests/MisusedTensors",
            swiftSettings: strict),
        .testTarget(name: "JemallocTests", dependencies: ["Jemalloc"], swiftSettings: strict),
        .testTarget(
            name: "TensorPoolTests",
            dependencies: [
                "PoolModel", "TensorPool", "TensorTrace", "AllocationTrace", "Jemalloc", "CThreadSlot", "CDebugging",
                "misused-tensors",
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "TensorPoolServiceLifecycleTests",
            dependencies: [
                "TensorPoolServiceLifecycle", "TensorPool",
                .product(name: "ServiceLifecycleTestKit", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "AllocationTraceTests", dependencies: ["AllocationTrace", "FuzzTargets", "CZlib"],
            exclude: ["Samples"],
            swiftSettings: strict),
        .testTarget(
            name: "TensorTraceTests", dependencies: ["TensorTrace", "TensorPool", "CThreadSlot"], swiftSettings: strict),
        // What `tensor-pool record` is tested with.
        .executableTarget(
            name: "recorded-program", path: "Tests/RecordedProgram", linkerSettings: [.linkedLibrary("pthread")]),
        .testTarget(
            name: "CommandTests",
            dependencies: ["tensor-pool", "tensor-pool-system", "recorded-program", "AllocationTrace", "TensorPool"],
            swiftSettings: strict),
    ]
)

// Only Scripts/fuzz links libFuzzer. The linker that is the default fails on AddressSanitizer's symbols.
if Context.environment["TENSOR_POOL_FUZZER"] != nil {
    package.targets.append(
        .executableTarget(
            name: "fuzzer", dependencies: ["FuzzTargets", "PoolModel"], path: "Tests/Fuzzer", swiftSettings: strict,
            linkerSettings: [.unsafeFlags(["-use-ld=lld"])]))
}
