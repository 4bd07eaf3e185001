import Foundation
import Synchronization
import TensorPool
import TensorTrace
import Testing

/// A path at which nothing is, and nothing stays.
final class TemporaryPath: Sendable {
    let path = FileManager.default.temporaryDirectory.appending(path: "recorder-\(UUID()).tptrace")
        .path(percentEncoded: false)

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// Runs `body` on so many threads of the system and waits for them.
func runThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let group = DispatchGroup()
    for number in 0..<count {
        group.enter()
        Thread {
            body(number)
            group.leave()
        }.start()
    }
    group.wait()
}

/// A place for one buffer: who puts one in frees what was there.
final class Exchange: Sendable {
    private let place = Mutex<TensorBuffer?>(nil)

    func swap(_ buffer: consuming TensorBuffer) {
        var other: TensorBuffer? = consume buffer
        place.withLock { Swift.swap(&$0, &other) }
    }

    func empty() { place.withLock { $0 = nil } }
}

/// Makes a pipe with a name.
func makePipe(_ path: String) throws {
    let result = unsafe mkfifo(path, 0o600)
    try #require(result == 0)
}

/// Opens both ends of a pipe, so that a recorder can open its own though nobody reads.
func openPipe(_ path: String) throws -> Int32 {
    let descriptor = unsafe open(path, O_RDWR | O_CLOEXEC)
    try #require(descriptor >= 0)
    return descriptor
}

/// Reads a pipe on a thread of its own.
final class PipeReader: Sendable {
    private let bytes = Mutex(Data())
    private let done = DispatchSemaphore(value: 0)

    init(_ descriptor: Int32) {
        Thread { [self] in
            var part = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = unsafe read(descriptor, &part, part.count)
                guard count > 0 else { break }
                // Who wants the rest writes this to say where it ends.
                let isLast = part[..<count].suffix(4).elementsEqual(Self.endMark)
                bytes.withLock { $0.append(contentsOf: part[..<(isLast ? count - 4 : count)]) }
                if isLast { break }
            }
            done.signal()
        }.start()
    }

    private static let endMark = Array("END!".utf8)

    func bytesToTheEnd(closing descriptor: Int32) -> Data {
        _ = unsafe write(descriptor, Self.endMark, Self.endMark.count)
        done.wait()
        close(descriptor)
        return bytes.withLock { $0 }
    }
}
