import AllocationTrace

/// A small workload of a known shape: one step of it, to be repeated. The same on every run and machine.
struct WorkloadPattern {
    enum Event {
        /// `tensor` counts from 0 in the order of allocation.
        case allocate(tensor: Int, byteCount: Int, isTemporary: Bool)
        case free(tensor: Int)
    }

    let name: String
    /// What it imitates, in a sentence.
    let explanation: String
    private(set) var events: [Event] = []
    private var sizes: [Int] = []
    private var alive: Set<Int> = []

    private init(name: String, explanation: String) {
        self.name = name
        self.explanation = explanation
    }

    private mutating func allocate(_ byteCount: Int, isTemporary: Bool = false) -> Int {
        sizes.append(byteCount)
        alive.insert(sizes.count - 1)
        events.append(.allocate(tensor: sizes.count - 1, byteCount: byteCount, isTemporary: isTemporary))
        return sizes.count - 1
    }

    private mutating func free(_ tensors: Int...) {
        for tensor in tensors {
            alive.remove(tensor)
            events.append(.free(tensor: tensor))
        }
    }

    /// The sizes that occur, each once, smallest first, in bytes.
    var distinctSizes: [Int] { Set(sizes).sorted() }

    /// As a trace.
    /// - Parameters:
    ///   - steps: how often the step is in it.
    ///   - maximum: leaves tensors of more bytes out.
    func trace(steps: Int, upTo maximum: Int = .max) throws -> AllocationTrace {
        var builder = AllocationTraceBuilder(maximumEvents: events.count * steps)
        for _ in 0..<steps {
            for event in events {
                switch event {
                case .allocate(let tensor, let byteCount, _) where byteCount <= maximum:
                    try builder.allocate(address: UInt64(tensor), byteCount: byteCount, thread: 0)
                case .free(let tensor) where sizes[tensor] <= maximum:
                    try builder.free(address: UInt64(tensor), byteCount: sizes[tensor], thread: 0)
                default: break
                }
            }
        }
        return builder.finish()
    }

    // MARK: - The patterns

    /// Layers of the transformer that both patterns imitate.
    private static let layers = 12
    /// Bytes of a layer's activations: 64 tokens of 768 floats.
    private static let hidden = 64 * 768 * 4
    /// Bytes of the attention scores: 12 heads of 64 by 64 floats.
    private static let scores = 12 * 64 * 64 * 4
    /// Bytes of the normalisation's mean and variance: 64 tokens of two floats, and their scratch memory.
    private static let normalisation = 64 * 2 * 4
    private static let scratch = 24 << 10

    /// A forward pass that frees each tensor as soon as the next layer has read it.
    static let inference: WorkloadPattern = {
        var pattern = WorkloadPattern(
            name: "inference",
            explanation: "forward passes of a 12-layer transformer of 768, 64 tokens, each tensor freed as soon as it "
                + "was read"
        )
        var input = pattern.allocate(hidden)
        for _ in 0..<layers {
            let norm = pattern.allocate(normalisation, isTemporary: true)
            let normed = pattern.allocate(hidden, isTemporary: true)
            pattern.free(norm)
            let query = pattern.allocate(hidden, isTemporary: true)
            let key = pattern.allocate(hidden, isTemporary: true)
            let value = pattern.allocate(hidden, isTemporary: true)
            let packing = pattern.allocate(scratch, isTemporary: true)
            pattern.free(packing, normed)
            let scores = pattern.allocate(scores, isTemporary: true)
            let mask = pattern.allocate(64 * 64, isTemporary: true)
            pattern.free(query, key, mask)
            let context = pattern.allocate(hidden)
            pattern.free(scores, value)
            let expanded = pattern.allocate(4 * hidden, isTemporary: true)
            let bias = pattern.allocate(4 * 768 * 4, isTemporary: true)
            let output = pattern.allocate(hidden)
            pattern.free(bias, expanded, context, input)
            input = output
        }
        let logits = pattern.allocate(30_522 * 4)
        pattern.free(input, logits)
        return pattern
    }()

    /// A training step: activations live until the backward pass, gradients until the optimizer has used them.
    static let training: WorkloadPattern = {
        var pattern = WorkloadPattern(
            name: "training",
            explanation: "training steps of the same transformer, activations kept until the backward pass, gradients "
                + "until the optimizer's step"
        )
        var kept: [[Int]] = []
        for _ in 0..<layers {
            let norm = pattern.allocate(normalisation)
            let attention = [hidden, hidden, hidden, scores].map { pattern.allocate($0) }
            let packing = pattern.allocate(scratch, isTemporary: true)
            pattern.free(packing)
            let expanded = pattern.allocate(4 * hidden)
            let output = pattern.allocate(hidden)
            kept.append([norm] + attention + [expanded, output])
        }
        var gradients: [Int] = []
        for layer in kept.reversed() {
            let gradient = pattern.allocate(4 * hidden, isTemporary: true)
            gradients.append(pattern.allocate(768 * 3072 * 4))
            gradients.append(pattern.allocate(768 * 768 * 4))
            gradients.append(pattern.allocate(768 * 4))
            let scratch = pattern.allocate(scratch, isTemporary: true)
            for tensor in layer { pattern.free(tensor) }
            pattern.free(scratch, gradient)
        }
        for gradient in gradients {
            let update = pattern.allocate(pattern.sizes[gradient], isTemporary: true)
            pattern.free(update, gradient)
        }
        return pattern
    }()

    static let all = [inference, training]
}
