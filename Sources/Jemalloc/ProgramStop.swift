/// Stops the program: a rule was broken that only the package itself can break, or a caller against what is documented.
///
/// Not `precondition`: compiled with optimization that stops without a word. Never inlined, so that a check on the way
/// costs its compare and nothing else.
@inline(never)
package func stopProgram(_ reason: String, file: StaticString = #fileID, line: UInt = #line) -> Never {
    fatalError("TensorPool: " + reason, file: file, line: line)
}
