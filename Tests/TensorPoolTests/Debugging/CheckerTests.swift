#if os(Linux)
import CDebugging
import Foundation
import Testing

/// What AddressSanitizer and Valgrind report in a debugging mode: the access itself, as it is made, reads too.
///
/// `misused-tensors` is the program that makes the accesses. AddressSanitizer is there where the tests are built with it
/// (`Scripts/check-sanitizers address`), Valgrind where it is installed.
struct CheckerTests {
    private static let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appending(path: "misused-tensors").path(percentEncoded: false)

    /// The path of a program that is installed.
    private static func installed(_ name: String) -> String? {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Runs a program with a debugging mode. Returns its status and what it said on standard error.
    private func run(_ command: [String], debugging: String) throws -> (status: Int32, message: String) {
        let process = Process()
        let errors = Pipe()
        process.executableURL = URL(filePath: command[0])
        process.arguments = Array(command.dropFirst())
        process.environment = ProcessInfo.processInfo.environment.merging(["TENSOR_POOL_DEBUG": debugging]) { $1 }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = errors
        try process.run()
        let message = try errors.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: message, as: UTF8.self))
    }

    // MARK: - AddressSanitizer

    private static let isSanitized = tensorpool_has_checker()

    @Test(
        .enabled(if: isSanitized, "needs a build with AddressSanitizer"),
        arguments: [
            ("past-end", "guard"), ("before-start", "guard"), ("after-free", "guard"), ("after-free", "leaks"),
            ("buffer-after-free", "track"),
        ])
    func addressSanitizerReports(_ misuse: String, _ debugging: String) throws {
        let (status, message) = try run([Self.program, misuse], debugging: debugging)
        #expect(status != 0)
        #expect(message.contains("AddressSanitizer: use-after-poison"), "\(message)")
    }

    @Test(
        .enabled(if: isSanitized, "needs a build with AddressSanitizer"),
        arguments: ["", "guard", "fill", "track,leaks"])
    func addressSanitizerReportsNothingElse(_ debugging: String) throws {
        let (status, message) = try run([Self.program, "nothing"], debugging: debugging)
        #expect(status == 0, "\(message)")
    }

    // MARK: - Valgrind

    private static let valgrind = installed("valgrind")
    private static let strip = installed("strip")
    private static let isUnderThreadSanitizer = unsafe dlsym(nil, "__tsan_init") != nil
    /// The headers must have been there when the package was built, and Valgrind cannot run beside a sanitizer.
    private static let usesValgrind =
        valgrind != nil && strip != nil && !isSanitized && !isUnderThreadSanitizer
        && FileManager.default.fileExists(atPath: "/usr/include/valgrind/memcheck.h")

    private func runUnderValgrind(_ misuse: String, debugging: String) throws -> (status: Int32, message: String) {
        // Valgrind 3.19 gives up where it meets the compiler's descriptions for debuggers.
        let stripped = FileManager.default.temporaryDirectory.appending(path: "misused-tensors-\(UUID())")
            .path(percentEncoded: false)
        defer { try? FileManager.default.removeItem(atPath: stripped) }
        let strip = try #require(Self.strip)
        try #require(try run([strip, "--strip-debug", "-o", stripped, Self.program], debugging: "").status == 0)
        let valgrind = try #require(Self.valgrind)
        return try run([valgrind, "--quiet", "--error-exitcode=99", stripped, misuse], debugging: debugging)
    }

    @Test(
        .enabled(if: usesValgrind, "needs Valgrind with its headers"),
        arguments: [
            ("past-end", "guard", "Invalid read of size 1"), ("before-start", "guard", "Invalid read of size 1"),
            ("after-free", "leaks", "Invalid read of size 1"),
            ("buffer-after-free", "guard", "Invalid write of size 1"),
            ("unwritten", "guard", "depends on uninitialised value"),
        ])
    func valgrindReports(_ misuse: String, _ debugging: String, _ report: String) throws {
        let (status, message) = try runUnderValgrind(misuse, debugging: debugging)
        #expect(status == 99 && message.contains(report), "\(message)")
    }

    @Test(.enabled(if: usesValgrind, "needs Valgrind with its headers"), arguments: ["", "guard,fill"])
    func valgrindReportsNothingElse(_ debugging: String) throws {
        let (status, message) = try runUnderValgrind("nothing", debugging: debugging)
        #expect(status == 0, "\(message)")
    }
}
#endif
