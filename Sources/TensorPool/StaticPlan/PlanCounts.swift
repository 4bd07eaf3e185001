internal import Synchronization

/// What a plan did. Written by its owner with plain loads and stores, read by any thread.
struct PlanCounts: ~Copyable {
    /// A count that one thread at a time adds to.
    struct Count: ~Copyable {
        private let value = Atomic<Int>(0)

        var current: Int { value.load(ordering: .relaxed) }

        @inline(__always) func increment() { value.store(current &+ 1, ordering: .relaxed) }
    }

    let steps = Count()
    let departures = Count()
    let lateFrees = Count()
    /// The owner's requests that went upstream.
    let fallbacks = Count()
    /// Requests of threads that were not the owner. Any thread adds to it.
    let otherThreads = Atomic<Int>(0)
    private let verySmall = Count()
    private let small = Count()
    private let medium = Count()
    private let large = Count()
    private let veryLarge = Count()

    @inline(__always) func noteServed(category: Int) {
        switch category {
        case 0: verySmall.increment()
        case 1: small.increment()
        case 2: medium.increment()
        case 3: large.increment()
        default: veryLarge.increment()
        }
    }

    var servedByCategory: [TensorSizeCategory: Int] {
        [
            .verySmall: verySmall.current, .small: small.current, .medium: medium.current, .large: large.current,
            .veryLarge: veryLarge.current,
        ]
    }
}
