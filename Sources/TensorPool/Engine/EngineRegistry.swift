internal import CThreadSlot
internal import Jemalloc

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// All engines of the process by their number: the place of their caches in every thread's table.
///
/// An engine stands here, retained, from its first use until its last block is back, so a buffer reaches its engine by
/// number alone and pays no reference counting.
enum EngineRegistry {
    struct Contents {
        var freeNumbers: [UInt32] = []
        var used: UInt32 = 0
        /// Engines so far.
        var claims: UInt64 = 0
    }

    /// Not among the locks that a fork takes without waiting: it takes this one first.
    static let contents = Lock(Contents(), isListed: false)

    /// Entries are written under the lock, and read without it by who holds a block of that engine.
    nonisolated(unsafe) static let engines: UnsafeMutablePointer<Unmanaged<Engine>?> = {
        let table = UnsafeMutablePointer<Unmanaged<Engine>?>.allocate(capacity: capacity)
        unsafe table.initialize(repeating: nil, count: capacity)
        return unsafe table
    }()

    /// Makes what is otherwise made at its first use.
    static func makeTables() {
        contents.withLock { _ in _ = unsafe engines }
        exitKey.withLock { _ in }
    }

    /// How many engines there can be at one time.
    static let capacity = Int(tensorpool_engine_capacity)

    /// A number no engine has now, and a serial no engine ever had; nil where all numbers are in use.
    static func claimNumber() -> (number: UInt32, serial: UInt64)? {
        contents.withLock { contents in
            let number: UInt32
            if let free = contents.freeNumbers.popLast() {
                number = free
            } else {
                guard contents.used < capacity else { return nil }
                number = contents.used
                contents.used += 1
            }
            contents.claims += 1
            return (number, EngineSerial.make(number: number, claim: contents.claims))
        }
    }

    static func enter(_ engine: Engine) {
        contents.withLock { _ in unsafe engines[Int(engine.number)] = Unmanaged.passRetained(engine) }
    }

    static func leave(_ engine: Engine) {
        let entered = contents.withLock { contents in
            let entry = unsafe engines[Int(engine.number)] != nil
            unsafe engines[Int(engine.number)] = nil
            contents.freeNumbers.append(engine.number)
            return entry
        }
        if entered { unsafe Unmanaged.passUnretained(engine).release() }
    }

    /// The engine of a block that is still out.
    static func engine(_ number: UInt32) -> Unmanaged<Engine> {
        guard let engine = unsafe engines[Int(number)] else { stopProgram("a block of no engine") }
        return unsafe engine
    }

    /// The engine of a number, if there is one at this moment.
    private static func engineIfAny(_ number: UInt32) -> Engine? {
        contents.withLock { _ in unsafe engines[Int(number)]?.takeUnretainedValue() }
    }

    // MARK: - Threads

    private static let exitKey = Lock<pthread_key_t?>(nil)

    /// The key whose destructor flushes a thread's caches, made at its first need. Nil where the process has no key
    /// left at this moment: the next thread tries again.
    private static func keyOfExit() -> pthread_key_t? {
        exitKey.withLock { known in
            if let known { return known }
            var key = pthread_key_t()
            guard !FaultInjection.refuses(.threadKey),
                unsafe pthread_key_create(&key, { _ in EngineRegistry.threadExits() }) == 0
            else { return nil }
            known = key
            return key
        }
    }

    /// Gives the calling thread a table of its own and arranges that its caches are flushed when it exits. False where
    /// that cannot be had: the thread then works without caches.
    static func prepareThread() -> Bool {
        let thread = unsafe tensorpool_current_thread()
        if unsafe thread.pointee.finished != 0 { return false }
        if unsafe thread.pointee.caches != tensorpool_empty_table() { return true }
        guard let key = keyOfExit(),
            let memory = unsafe Backend.allocateBookkeeping(
                capacity * MemoryLayout<UnsafeMutableRawPointer>.stride)
        else { return false }
        let table = unsafe memory.bindMemory(to: UnsafeMutableRawPointer.self, capacity: capacity)
        unsafe tensorpool_clear_table(table)
        // Any value but null makes the destructor run.
        guard !FaultInjection.refuses(.threadKey), unsafe pthread_setspecific(key, table) == 0 else {
            unsafe table.deallocate()
            return false
        }
        unsafe thread.pointee.caches = table
        return true
    }

    /// Whether the calling thread's exit will be noticed.
    static var noticesExit: Bool {
        let thread = unsafe tensorpool_current_thread()
        return unsafe thread.pointee.finished == 0 && thread.pointee.caches != tensorpool_empty_table()
    }

    private static func threadExits() {
        let thread = unsafe tensorpool_current_thread()
        let used = contents.withLock { $0.used }
        // Every engine is asked under its lock: an entry that reads null here may be one that another thread emptied for
        // a moment and is about to put back.
        for number in 0..<used { engineIfAny(number)?.detachCurrentThread() }
        let table = unsafe thread.pointee.caches
        // What other destructors of this thread still free goes the way without caches.
        unsafe thread.pointee.finished = 1
        unsafe thread.pointee.caches = tensorpool_empty_table()
        unsafe table.deallocate()
        SpareReferences.giveBack()
    }
}
