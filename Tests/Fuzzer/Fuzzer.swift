import Foundation
import FuzzTargets
import PoolModel

/// libFuzzer (FuzzerInterface.h): calls the function with input after input, as the arguments say.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ argumentCount: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ runInput: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

/// Feeds one target. `FUZZ_TARGET` names it, for the arguments are libFuzzer's.
@main
enum Fuzzer {
    private static let target: FuzzTarget = {
        let name = ProcessInfo.processInfo.environment["FUZZ_TARGET"] ?? "nothing"
        guard let target = FuzzTarget(rawValue: name) else {
            let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: ", ")
            FileHandle.standardError.write(Data("FUZZ_TARGET is \(name): it has to be one of \(names)\n".utf8))
            exit(64)
        }
        return target
    }()

    static func main() {
        _ = target
        // The process's own arguments, which live as long.
        var count = CommandLine.argc
        var arguments = unsafe CommandLine.unsafeArgv
        let code = unsafe runDriver(&count, &arguments) { start, count in
            // libFuzzer's bytes, which live as long as the call.
            Fuzzer.run(unsafe Array(UnsafeBufferPointer(start: start, count: count)))
            return 0
        }
        exit(code)
    }

    /// A broken promise stops the program, so that libFuzzer keeps the input.
    private static func run(_ bytes: [UInt8]) {
        do throws(ModelFailure) { try target.run(bytes) } catch { fatalError("\(target.rawValue): \(error)") }
    }
}
