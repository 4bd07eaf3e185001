import Foundation
import Jemalloc
import Testing

extension JemallocTests {
    struct JemallocErrorTests {
        @Test func descriptionNamesWhatHowAndWhy() {
            let allocation = JemallocError(
                key: "mallocx", operation: .allocate(byteCount: -3, flags: .alignment(64) | .zeroed), errno: EINVAL)
            #expect(
                "\(allocation)" == "jemalloc refused mallocx of -3 bytes (alignment 64, zeroed): EINVAL. "
                    + "Ask for at least one byte.")
            let write = JemallocError(key: "arena.3.dirty_decay_ms", operation: .write("-2"), errno: EFAULT)
            #expect("\(write)".hasPrefix("jemalloc refused to set arena.3.dirty_decay_ms to -2: EFAULT. Check that"))
        }

        @Test(arguments: [
            (JemallocError.Operation.read, ENOENT, "to read k: ENOENT", "Check the name and the index"),
            (.lookUp, ENOENT, "the key k: ENOENT", "Check the name and the index"),
            (.lookUp, EPERM, "the key k: EPERM", "Check the name and the index"),
            (.write("5"), EINVAL, "to set k to 5: EINVAL", "Use the type"),
            (.call, EPERM, "refused k: EPERM", "some can only be read"),
            (.read, EAGAIN, "to read k: EAGAIN", "destroy arenas"),
            (.call, EFAULT, "refused k: EFAULT", "Check that the arena"),
            (.allocate(byteCount: 1 << 60, flags: []), ENOMEM, "ENOMEM", "Ask for less"),
            (.call, 9999, "error 9999", "Check that"),
        ])
        func everyCaseSaysWhatToDo(operation: JemallocError.Operation, errno: Int32, what: String, advice: String) {
            let text = "\(JemallocError(key: "k", operation: operation, errno: errno))"
            #expect(text.contains(what))
            #expect(text.contains(advice))
        }
    }
}
