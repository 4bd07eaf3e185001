import TensorPool
import Testing

@Suite struct TensorSizeCategoryTests {
    static let bounds: [(byteCount: Int, category: TensorSizeCategory)] = [
        (4096, .verySmall), (65536, .small), (1_048_576, .medium), (16_777_216, .large),
    ]

    @Test(arguments: bounds)
    func upperBoundsAreInclusive(byteCount: Int, category: TensorSizeCategory) {
        #expect(TensorSizeCategory(byteCount: byteCount) == category)
        #expect(TensorSizeCategory(byteCount: byteCount + 1) > category)
        #expect(category.maximumByteCount == byteCount)
    }
}
