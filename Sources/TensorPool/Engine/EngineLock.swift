internal import CThreadSlot
internal import Jemalloc

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The lock of an engine: a mutex of the system, biased to the thread that uses it.
///
/// Most engines have one thread at a time on their slow paths. That thread takes the lock by plain stores to a flag in
/// its own cache. Another that wants it takes the mutex, ends the bias, and waits until the flag falls:
///
///     biased thread                        another thread, with the mutex
///     inside = 1                           biased = nil
///     (nothing: a compiler fence)          a memory barrier on all threads of the process
///     biased == my cache?                  wait until inside == 0
///       yes: the lock is mine              ... the lock is mine ...
///       no: inside = 0, take the mutex
///
/// The flag is in the cache and not here, so that a thread that lost the bias never writes to what the next one uses.
/// A thread that then takes the mutex often enough in a row becomes the biased one; each lost bias doubles how often.
///
/// The mutex is not `Synchronization.Mutex`: on Linux that hands itself over in the kernel (`FUTEX_LOCK_PI`), and with
/// more threads than cores, all on slow paths, each hand-over waits for the scheduler: 10 us a pair was measured with 8
/// threads on 2 cores.
@safe struct EngineLock: ~Copyable, @unchecked Sendable {
    @safe private struct Fields {
        var mutex = unsafe pthread_mutex_t()
        var lastCache: UnsafeMutableRawPointer?
        var streak = 0
        /// Uses in a row by one thread that earn it the bias: the first at once.
        var neededStreak = 0
        /// Whether two threads had the lock, and none of them so often in a row since then as to earn the bias.
        var isContested = false
    }

    private static let streakAfterFirstLoss = 256
    /// No more than a thread does in some milliseconds of slow paths: what was shared once need not be for ever.
    private static let maximumNeededStreak = 1 << 14
    /// How often a thread that waits for the biased one lets others run before it sleeps between two looks: a slow path
    /// may be in a system call that takes milliseconds.
    private static let yieldsBeforeSleep = 64
    private static let sleepMicroseconds: UInt32 = 50

    private let fields: UnsafeMutablePointer<Fields>
    /// The cache that the lock is biased to; its flag says whether it is taken that way. Changed with the mutex held.
    let bias: UnsafeMutablePointer<UnsafeMutableRawPointer?>

    init() {
        unsafe bias = .allocate(capacity: 1)
        unsafe bias.initialize(to: nil)
        unsafe fields = .allocate(capacity: 1)
        unsafe fields.initialize(to: Fields())
        let failure = unsafe pthread_mutex_init(&fields.pointee.mutex, nil)
        guard failure == 0 else { stopProgram("pthread_mutex_init failed with \(failure)") }
    }

    deinit {
        unsafe pthread_mutex_destroy(&fields.pointee.mutex)
        unsafe fields.deinitialize(count: 1)
        unsafe fields.deallocate()
        unsafe bias.deallocate()
    }

    /// Takes the lock. `cache` is the calling thread's, if it has one. True where the bias sufficed: hand the answer to
    /// ``unlock(_:isBiased:)``.
    @inline(__always)
    func lock(_ cache: ThreadCachePointer?) -> Bool {
        if let cache = unsafe cache, unsafe tensorpool_enter_biased(bias, cache, &cache.pointee.inside) { return true }
        unsafe lockMutex(cache)
        return false
    }

    @inline(__always)
    func unlock(_ cache: ThreadCachePointer?, isBiased: Bool) {
        if isBiased, let cache = unsafe cache {
            unsafe cache.leaveBiased()
        } else {
            unsafe pthread_mutex_unlock(&fields.pointee.mutex)
        }
    }

    /// Whether threads take the lock in turns, so that they do well to come seldom. Lock held.
    var isContested: Bool { unsafe fields.pointee.isContested }

    /// Takes the lock as the mutex alone, for who will ``forget(_:)`` caches: `cache` is the calling thread's. Unlock it
    /// as not biased.
    func lockToForget(_ cache: ThreadCachePointer?) { unsafe lockMutex(cache) }

    /// Takes the lock as the mutex, if that takes next to no waiting; unlock it as not biased.
    func tryLock(_ cache: ThreadCachePointer?) -> Bool {
        if let cache = unsafe cache, unsafe tensorpool_is_inside(&cache.pointee.inside) { return false }
        guard unsafe pthread_mutex_trylock(&fields.pointee.mutex) == 0 else { return false }
        let own = UnsafeMutableRawPointer(cache)
        guard let biased = unsafe tensorpool_load_pointer(bias), unsafe biased != own else {
            return true
        }
        if unsafe revoke(biased.assumingMemoryBound(to: ThreadCache.self), waits: false) { return true }
        unsafe pthread_mutex_unlock(&fields.pointee.mutex)
        return false
    }

    /// Ends the bias to a cache that its thread gives up. Held by ``lockToForget(_:)``: were it held by that very bias,
    /// others would be let in at once, and the flag lowered at the end might be the next owner's.
    func forget(_ cache: ThreadCachePointer) {
        if unsafe tensorpool_load_pointer(bias) == UnsafeMutableRawPointer(cache) {
            guard unsafe !tensorpool_is_inside(&cache.pointee.inside) else {
                stopProgram("the lock is held by the bias to end")
            }
            unsafe tensorpool_store_pointer(bias, nil)
        }
        unsafe fields.pointee.lastCache = nil
    }

    @inline(never)
    private func lockMutex(_ cache: ThreadCachePointer?) {
        unsafe pthread_mutex_lock(&fields.pointee.mutex)
        let own = UnsafeMutableRawPointer(cache)
        if let biased = unsafe tensorpool_load_pointer(bias) {
            // One's own flag is down, or one would not be here.
            if unsafe biased != own {
                unsafe revoke(biased.assumingMemoryBound(to: ThreadCache.self))
                unsafe fields.pointee.isContested = true
            }
            return
        }
        guard let own = unsafe own else { return }
        if unsafe fields.pointee.lastCache != own {
            if unsafe fields.pointee.lastCache != nil { unsafe fields.pointee.isContested = true }
            unsafe fields.pointee.lastCache = unsafe own
            unsafe fields.pointee.streak = 0
        }
        unsafe fields.pointee.streak += 1
        let needed = unsafe tensorpool_can_bias ? fields.pointee.neededStreak : Self.maximumNeededStreak
        guard unsafe fields.pointee.streak > needed else { return }
        unsafe fields.pointee.isContested = false
        // From the next time on; this time it is the mutex that is held.
        if tensorpool_can_bias { unsafe tensorpool_store_pointer(bias, own) }
    }

    /// Ends a bias. Who does not wait for longer than some yields gets false where the lock is held by it still: then
    /// nothing has changed.
    @discardableResult private func revoke(_ biased: ThreadCachePointer, waits: Bool = true) -> Bool {
        unsafe tensorpool_store_pointer(bias, nil)
        // Where no barrier can be had the base pool could not be made, so this one cannot fail.
        guard tensorpool_barrier_all_threads() else { stopProgram("the memory barrier on all threads was refused") }
        var turns = 0
        while unsafe tensorpool_is_inside(&biased.pointee.inside) {
            turns += 1
            if turns <= Self.yieldsBeforeSleep {
                sched_yield()
            } else if waits {
                usleep(Self.sleepMicroseconds)
            } else {
                unsafe tensorpool_store_pointer(bias, biased)
                return false
            }
        }
        unsafe fields.pointee.streak = 0
        unsafe fields.pointee.neededStreak = min(
            max(Self.streakAfterFirstLoss, 2 * fields.pointee.neededStreak), Self.maximumNeededStreak)
        return true
    }
}

extension UnsafeMutablePointer where Pointee == ThreadCache {
    /// Takes the lock of the cache's engine, if it is biased to this thread, whose cache this is.
    @inline(__always) func enterBiased() -> Bool {
        unsafe tensorpool_enter_biased(pointee.bias, self, &pointee.inside)
    }

    /// Gives back a lock that was taken by ``enterBiased()``.
    @inline(__always) func leaveBiased() { unsafe tensorpool_leave_biased(&pointee.inside) }
}
