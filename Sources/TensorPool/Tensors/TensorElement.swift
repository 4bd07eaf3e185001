/// A type of which every bit pattern is a value, so that fresh memory can be read as it.
///
/// - Warning: Conform a type of your own only where that is so: not an enumeration, not `Bool`, not a pointer.
public protocol TensorElement: BitwiseCopyable {}

extension Int8: TensorElement {}
extension Int16: TensorElement {}
extension Int32: TensorElement {}
extension Int64: TensorElement {}
extension Int: TensorElement {}
extension UInt8: TensorElement {}
extension UInt16: TensorElement {}
extension UInt32: TensorElement {}
extension UInt64: TensorElement {}
extension UInt: TensorElement {}
extension Float: TensorElement {}
extension Double: TensorElement {}
#if !(os(macOS) && arch(x86_64))
extension Float16: TensorElement {}
#endif
