// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "TensorPool",
    platforms: [.macOS(.v26)],
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
    ]
)
