import Workloads

/// Memory from the language's own allocation function, 64-byte aligned.
@safe struct RawBlock: Block {
    let address: UnsafeMutableRawPointer

    @inline(__always) static func allocate(_ byteCount: Int, from source: borrowing Void) -> RawBlock {
        unsafe RawBlock(address: UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64))
    }

    // Not inlined: a compiler that sees both may drop the pair.
    @inline(never) consuming func free(to source: borrowing Void) {
        unsafe address.deallocate()
    }
}

/// An array of floats, not initialized.
@safe struct UninitializedArrayBlock: Block {
    let array: [Float]

    @inline(__always) static func allocate(_ byteCount: Int, from source: borrowing Void) -> Self {
        let count = (byteCount + 3) / 4
        // Nothing reads the elements.
        return unsafe Self(array: [Float](unsafeUninitializedCapacity: count) { _, initialized in initialized = count })
    }

    @inline(never) consuming func free(to source: borrowing Void) {}

    var address: UnsafeMutableRawPointer {
        // The array lives as long as the block, and nobody else has it.
        unsafe array.withUnsafeBytes { unsafe UnsafeMutableRawPointer(mutating: $0.baseAddress!) }
    }
}

/// An array of zeros.
@safe struct ZeroedArrayBlock: Block {
    let array: [Float]

    @inline(__always) static func allocate(_ byteCount: Int, from source: borrowing Void) -> Self {
        Self(array: [Float](repeating: 0, count: (byteCount + 3) / 4))
    }

    @inline(never) consuming func free(to source: borrowing Void) {}

    var address: UnsafeMutableRawPointer {
        // The array lives as long as the block, and nobody else has it.
        unsafe array.withUnsafeBytes { unsafe UnsafeMutableRawPointer(mutating: $0.baseAddress!) }
    }
}
