/// Freed tensors that are kept back, so that what is written to them meanwhile can be seen, oldest first out.
struct Quarantine {
    /// Bytes of blocks that are kept back at most; a larger one stays until the next.
    static let byteLimit = 16 << 20
    /// Closed guard pages that are kept back at most.
    static let pagesLimit = 128

    private var tensors = Queue<GuardedTensor>()
    private var pages = Queue<GuardPages>()
    /// Bytes of the blocks that are kept back.
    private(set) var byteCount = 0

    mutating func add(_ tensor: GuardedTensor) {
        tensors.append(tensor)
        byteCount += tensor.blockByteCount
    }

    /// Keeps closed pages back. Returns those that have to go for it.
    mutating func add(_ closed: GuardPages) -> GuardPages? {
        pages.append(closed)
        return pages.count > Self.pagesLimit ? pages.popFirst() : nil
    }

    mutating func takeOldest() -> GuardedTensor? {
        guard let tensor = tensors.popFirst() else { return nil }
        byteCount -= tensor.blockByteCount
        return tensor
    }

    /// The oldest tensor where there are too many bytes.
    mutating func takeOverflow() -> GuardedTensor? {
        byteCount > Self.byteLimit && tensors.count > 1 ? takeOldest() : nil
    }

    mutating func takeOldestPages() -> GuardPages? { pages.popFirst() }
}

/// First in, first out.
private struct Queue<Element> {
    private var elements: [Element] = []
    private var first = 0

    var count: Int { elements.count - first }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func popFirst() -> Element? {
        guard first < elements.count else { return nil }
        let element = elements[first]
        first += 1
        if 2 * first > elements.count {
            elements.removeFirst(first)
            first = 0
        }
        return element
    }
}
