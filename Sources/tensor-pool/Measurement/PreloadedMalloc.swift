import AllocationTrace
import Foundation

/// A malloc that is measured by preloading it into the helper process.
enum PreloadedMalloc: String {
    case tcmalloc
    case mimalloc

    /// The library's name, with the version of its interface.
    var fileName: String {
        switch self {
        case .tcmalloc: "libtcmalloc_minimal.so.4"
        case .mimalloc: "libmimalloc.so.2"
        }
    }

    /// The Debian package that brings it.
    var package: String {
        switch self {
        case .tcmalloc: "libtcmalloc-minimal4"
        case .mimalloc: "libmimalloc2.0"
        }
    }

    /// Where the library is.
    /// - Parameter folders: where it is looked for; nil for the usual folders of libraries.
    func library(in folders: [String]? = nil) throws(SystemMallocHelperError) -> String {
        let folders = folders ?? Self.usualFolders
        let paths = folders.map { $0 + "/" + fileName }
        guard let path = paths.first(where: { FileManager.default.isReadableFile(atPath: $0) }) else {
            throw .notInstalled(self, folders: folders)
        }
        return path
    }

    /// Throws where the helper's malloc is another: the loader goes on without a library that it cannot load.
    func check(
        _ description: SystemMallocDescription, preloaded library: String
    ) throws(SystemMallocHelperError) {
        let wanted = URL(filePath: library).resolvingSymlinksInPath().path(percentEncoded: false)
        guard description.library == wanted else {
            throw .notPreloaded(self, library: library, found: description.library ?? "an unknown place")
        }
    }

    /// For a heading.
    func label(_ description: SystemMallocDescription) -> String {
        let name = description.library.map { URL(filePath: $0).lastPathComponent } ?? fileName
        return "\(rawValue) (\(name)), preloaded into a process of its own"
    }

    /// The loader's own folders, those of this processor's libraries first, behind those that the environment names.
    static var usualFolders: [String] {
        #if arch(arm64)
        let triple = "aarch64-linux-gnu"
        #else
        let triple = "x86_64-linux-gnu"
        #endif
        let named = ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"]?.split(separator: ":").map(String.init) ?? []
        return named + ["/usr/local/lib", "/usr/lib/\(triple)", "/lib/\(triple)", "/usr/lib64", "/usr/lib"]
    }
}
