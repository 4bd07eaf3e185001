/// A size as benchmarks are named after it: `16KiB`. For whole KiB and MiB, and for less than 1 KiB.
func name(ofByteCount byteCount: Int) -> String {
    if byteCount >= 1 << 20 { return "\(byteCount >> 20)MiB" }
    return byteCount >= 1 << 10 ? "\(byteCount >> 10)KiB" : "\(byteCount)B"
}
