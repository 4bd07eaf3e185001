import AllocationTrace
import Foundation

/// The helper of `tensor-pool`: measures the system's malloc in a process that does not link jemalloc.
///
/// Answers requests read from standard input, line by line, and ends with it. It is not meant to be run by hand.
@main
struct SystemMallocCommand {
    static func main() throws {
        ParentProcess.follow()
        // Its parent may have gone when it answers: the end, and no failure to report to anybody.
        signal(SIGPIPE, SIG_IGN)
        let decoder = JSONDecoder()
        let encoder = JSONEncoder()
        let server = SystemMallocServer()
        while let line = readLine() {
            let reply: SystemMallocReply
            do {
                let request = try decoder.decode(SystemMallocRequest.self, from: Data(line.utf8))
                reply = server.answer(request)
            } catch {
                reply = .failure(reason: "not a request: \(error)")
            }
            let answer = try encoder.encode(reply) + Data("\n".utf8)
            do {
                try FileHandle.standardOutput.write(contentsOf: answer)
            } catch {
                return
            }
        }
    }
}
