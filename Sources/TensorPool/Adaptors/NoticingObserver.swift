/// An observer for other modules: it calls a function, then frees the buffer.
///
/// A function of C's kind and a word, since a closure's context would be counted up and down at each call.
///
/// Safe: the function gets the address of a buffer that is live meanwhile.
@safe @usableFromInline package final class NoticingObserver: BufferObserver, @unchecked Sendable {
    /// What is called before a buffer is freed, on the thread that ends it: with the observer's word, and the buffer's
    /// address and size in bytes.
    package typealias Notice = @convention(c) (UInt64, UnsafeMutableRawPointer, Int) -> Void

    private let word: UInt64
    private let notice: Notice

    package init(word: UInt64, _ notice: @escaping Notice) {
        self.word = word
        unsafe self.notice = unsafe notice
    }

    override func end(_ buffer: consuming TensorBuffer) { unsafe notice(word, buffer.start, buffer.byteCount) }
}
