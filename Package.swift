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
        .library(name: "Jemalloc", targets: ["Jemalloc"]),
    ],
    targets: [
        // The C libraries, and what Swift cannot say (a thread-local slot, a compiler fence).
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

        // The libraries.
        .target(name: "Jemalloc", dependencies: ["CJemalloc"], swiftSettings: strict),
        .target(
            name: "TensorPool", dependencies: ["Jemalloc", "CThreadSlot"],
            swiftSettings: strict + [.enableExperimentalFeature("Lifetimes")]),

        .testTarget(name: "JemallocTests", dependencies: ["Jemalloc"], swiftSettings: strict),
        .testTarget(
            name: "TensorPoolTests", dependencies: ["TensorPool", "Jemalloc", "CThreadSlot"], swiftSettings: strict),
    ]
)
