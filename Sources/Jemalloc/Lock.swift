#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A value behind a mutex of the system, which a forked child goes on using.
///
/// Not `Synchronization.Mutex`: on Linux that keeps the number of the thread that holds it, and the child's thread has
/// another number. All locks of the process stand in ``LockList``, which a fork holds.
///
/// A closure has to stand in a struct here. As the value itself it is converted at each look, and what is written back is
/// the converted one: one wrapper more each time, until a call overflows the stack.
@safe package struct Lock<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
    private let node: UnsafeMutablePointer<LockNode>
    private let value: UnsafeMutablePointer<Value>

    /// Makes a lock. One that is not `isListed` has to be held at a fork by other means.
    package init(_ initial: consuming Value, isListed: Bool = true) {
        unsafe node = .allocate(capacity: 1)
        unsafe node.initialize(to: LockNode(isListed: isListed))
        unsafe value = .allocate(capacity: 1)
        unsafe value.initialize(to: initial)
        let failure = unsafe pthread_mutex_init(&node.pointee.mutex, nil)
        guard failure == 0 else { stopProgram("pthread_mutex_init failed with \(failure)") }
        if isListed { unsafe LockList.add(node) }
    }

    deinit {
        if unsafe node.pointee.isListed { unsafe LockList.remove(node) }
        unsafe pthread_mutex_destroy(&node.pointee.mutex)
        unsafe value.deinitialize(count: 1).deallocate()
        unsafe node.deinitialize(count: 1).deallocate()
    }

    /// Runs `body` with the value, locked.
    package func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        lock()
        defer { unlock() }
        return try unsafe body(&value.pointee)
    }

    /// Takes the lock, for a fork.
    package func lock() { unsafe pthread_mutex_lock(&node.pointee.mutex) }

    /// Takes the lock where nobody has it.
    package func tryLock() -> Bool { unsafe pthread_mutex_trylock(&node.pointee.mutex) == 0 }

    package func unlock() { unsafe pthread_mutex_unlock(&node.pointee.mutex) }

    /// The value, for who called ``lock()``.
    @unsafe package var locked: UnsafeMutablePointer<Value> { unsafe value }
}

/// A lock's mutex, and its place in the list of all.
@safe struct LockNode {
    var mutex = unsafe pthread_mutex_t()
    let isListed: Bool
    var previous: UnsafeMutablePointer<LockNode>?
    var next: UnsafeMutablePointer<LockNode>?

    init(isListed: Bool) {
        self.isListed = isListed
        unsafe previous = nil
        unsafe next = nil
    }
}

/// All locks of the process, so that a fork can hold them.
package enum LockList {
    @safe private struct Contents {
        var mutex = unsafe pthread_mutex_t()
        var first: UnsafeMutablePointer<LockNode>?
    }

    nonisolated(unsafe) private static let contents: UnsafeMutablePointer<Contents> = {
        let contents = UnsafeMutablePointer<Contents>.allocate(capacity: 1)
        unsafe contents.initialize(to: Contents())
        unsafe pthread_mutex_init(&contents.pointee.mutex, nil)
        return unsafe contents
    }()

    static func add(_ node: UnsafeMutablePointer<LockNode>) {
        unsafe pthread_mutex_lock(&contents.pointee.mutex)
        defer { unsafe pthread_mutex_unlock(&contents.pointee.mutex) }
        unsafe node.pointee.next = unsafe contents.pointee.first
        if let first = unsafe contents.pointee.first { unsafe first.pointee.previous = unsafe node }
        unsafe contents.pointee.first = unsafe node
    }

    static func remove(_ node: UnsafeMutablePointer<LockNode>) {
        unsafe pthread_mutex_lock(&contents.pointee.mutex)
        defer { unsafe pthread_mutex_unlock(&contents.pointee.mutex) }
        if let next = unsafe node.pointee.next { unsafe next.pointee.previous = unsafe node.pointee.previous }
        if let previous = unsafe node.pointee.previous {
            unsafe previous.pointee.next = unsafe node.pointee.next
        } else {
            unsafe contents.pointee.first = unsafe node.pointee.next
        }
    }

    /// Takes all locks; where one is held, none. Never waits for one, so the order in which others take them is no
    /// matter.
    package static func tryLockAll() -> Bool {
        unsafe pthread_mutex_lock(&contents.pointee.mutex)
        var place = unsafe contents.pointee.first
        while let node = unsafe place {
            guard unsafe pthread_mutex_trylock(&node.pointee.mutex) == 0 else {
                unsafe unlock(until: node)
                return false
            }
            unsafe place = unsafe node.pointee.next
        }
        return true
    }

    /// Releases all locks, in the process that took them or in its child.
    package static func unlockAll() { unsafe unlock(until: nil) }

    private static func unlock(until end: UnsafeMutablePointer<LockNode>?) {
        var place = unsafe contents.pointee.first
        while let node = unsafe place, unsafe node != end {
            unsafe place = unsafe node.pointee.next
            unsafe pthread_mutex_unlock(&node.pointee.mutex)
        }
        unsafe pthread_mutex_unlock(&contents.pointee.mutex)
    }
}
