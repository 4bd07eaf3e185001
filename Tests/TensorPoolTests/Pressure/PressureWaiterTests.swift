import Foundation
import Testing

@testable import TensorPool

@Suite(.timeLimit(.minutes(10))) struct PressureWaiterTests {
    private static let long = Duration.seconds(3600)

    /// A pipe whose read end plays the kernel's file.
    private static func pipe() throws -> (trigger: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        guard unsafe Foundation.pipe(&ends) == 0 else { throw NothingFound() }
        return (ends[0], ends[1])
    }

    @Test func timeEndsAWait() throws {
        let waiter = try PressureWaiter(trigger: nil)
        let start = MonotonicClock.now()
        #expect(waiter.wait(.milliseconds(5)) == .timeIsUp)
        #expect(MonotonicClock.now() - start >= 5_000_000 && !waiter.hasTrigger)
    }

    @Test func wakingEndsTheNextWaitOnce() throws {
        let waiter = try PressureWaiter(trigger: nil)
        for _ in 0..<100_000 { waiter.wake() }
        #expect(waiter.wait(Self.long) == .woken)
        #expect(waiter.wait(.milliseconds(1)) == .timeIsUp)
        let waker = SystemThread { waiter.wake() }
        #expect(waiter.wait(Self.long) == .woken)
        waker.join()
    }

    @Test func aStallEndsAWait() throws {
        let (descriptor, writeEnd) = try Self.pipe()
        let waiter = try PressureWaiter(trigger: StallTrigger(descriptor: descriptor, events: Int16(POLLIN)))
        #expect(waiter.hasTrigger)
        #expect(unsafe write(writeEnd, "x", 1) == 1)
        #expect(waiter.wait(Self.long) == .stall)
        // The file is gone: from now on time alone ends a wait.
        var byte: UInt8 = 0
        #expect(unsafe read(descriptor, &byte, 1) == 1)
        close(writeEnd)
        #expect(waiter.wait(.milliseconds(5)) == .timeIsUp)
        #expect(!waiter.hasTrigger)
    }

    @Test func noTriggerOfAFileThatIsNone() throws {
        #expect((StallTrigger(file: "/nowhere/memory", somePercent: 5)?.descriptor) == nil)
        #expect((StallTrigger(file: "/dev/full", somePercent: 5)?.descriptor) == nil, "a write that fails")
    }

    /// Whether this kernel takes triggers from this process.
    private static let kernelHasTriggers: Bool = unsafe access("/proc/pressure/memory", R_OK | W_OK) == 0

    @Test(.enabled(if: kernelHasTriggers, "the kernel has no /proc/pressure/memory that may be written"))
    func theKernelTakesATrigger() throws {
        let waiter = try PressureWaiter(trigger: StallTrigger(somePercent: 5))
        #expect(waiter.hasTrigger)
        // Whether it fires in this millisecond is the machine's affair; that it can be waited for is ours.
        #expect([.timeIsUp, .stall].contains(waiter.wait(.milliseconds(1))))
        #expect(waiter.hasTrigger)
    }
}
