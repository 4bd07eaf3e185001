import Foundation
import Testing

@testable import Jemalloc

/// All suites, one test at a time: arena indices, the statistics' epoch and the limits on arenas belong to the process.
@Suite(.serialized)
struct JemallocTests {}

/// The error that `body` throws, or nil.
func refusal(_ body: () throws(JemallocError) -> Void) -> JemallocError? {
    do throws(JemallocError) {
        try body()
        return nil
    } catch {
        return error
    }
}

/// Expects that a process that stopped said so on standard error.
func expectMessage(_ text: String, of result: ExitTest.Result?, sourceLocation: SourceLocation = #_sourceLocation) {
    let said = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(said.contains(text), sourceLocation: sourceLocation)
}

/// Runs `body` on another thread and waits for its end.
func onAnotherThread(_ body: @escaping @Sendable () -> Void) {
    let done = DispatchSemaphore(value: 0)
    Thread {
        body()
        done.signal()
    }.start()
    done.wait()
}

/// Writes one byte into each page.
func touch(_ pointer: UnsafeMutableRawPointer, _ byteCount: Int) {
    for offset in stride(from: 0, to: byteCount, by: 4096) {
        unsafe pointer.storeBytes(of: 1, toByteOffset: offset, as: UInt8.self)
    }
}

/// The index of the bin whose regions have `size` bytes.
func binIndex(ofSize size: Int) throws -> Int {
    let key = try ControlKey<Int>("arenas.bin.<i>.size")
    for bin in 0..<(try Build.binCount) where try key.at(bin).read() == size { return bin }
    throw JemallocError(key: "arenas.bin", operation: .read, errno: ENOENT)
}
