import Foundation
import Synchronization

/// The place of a temporary file or folder: what is there is gone with this object, or with the process where SIGINT,
/// SIGTERM or SIGHUP ends it.
final class TemporaryItem {
    let url: URL

    init(_ name: String) {
        url = FileManager.default.temporaryDirectory.appending(path: name)
        Interruption.remember(url)
    }

    deinit { Interruption.remove(url) }

    var path: String { url.path(percentEncoded: false) }
}

/// Removes what is temporary when a signal ends the process, which then dies of that signal.
private enum Interruption {
    private static let signals = [SIGINT, SIGTERM, SIGHUP]
    private static let items = Mutex<Set<URL>>([])

    static func remember(_ url: URL) {
        _ = isWatching
        items.withLock { _ = $0.insert(url) }
    }

    static func remove(_ url: URL) {
        items.withLock { _ = $0.remove(url) }
        try? FileManager.default.removeItem(at: url)
    }

    /// Whether signals are caught, from the first use on.
    private static let isWatching: Bool = {
        var ends: [Int32] = [-1, -1]
        // Fills the array that it borrows.
        guard unsafe pipe(&ends) == 0 else { return false }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let (waiting, waking) = (ends[0], ends[1])
        unsafe wakingEnd = waking
        Thread.detachNewThread { end(by: number(from: waiting)) }
        for number in signals {
            // What is ignored for this process, as nohup does, stays ignored.
            let isIgnored = signal(number, wake).map { unsafe unsafeBitCast($0, to: Int.self) } == 1
            if isIgnored { signal(number, SIG_IGN) }
        }
        return true
    }()

    private static func number(from descriptor: Int32) -> Int32 {
        var number: UInt8 = 0
        // One byte into a local. A signal may interrupt the reading.
        while unsafe read(descriptor, &number, 1) != 1 {}
        return Int32(number)
    }

    private static func end(by number: Int32) {
        for url in items.withLock({ $0 }) {
            // The main thread goes on meanwhile, and may just have put a file there.
            for _ in 0..<3 where (try? FileManager.default.removeItem(at: url)) == nil { usleep(1000) }
        }
        signal(number, SIG_DFL)
        kill(getpid(), number)
    }
}

/// Set once, before the handler that reads it.
nonisolated(unsafe) private var wakingEnd: Int32 = -1

/// The handler: writing a byte is all that may be done there.
private let wake: @convention(c) (Int32) -> Void = { number in
    let code = errno
    var byte = UInt8(truncatingIfNeeded: number)
    // One byte of a local.
    _ = unsafe write(wakingEnd, &byte, 1)
    errno = code
}
