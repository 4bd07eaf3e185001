@testable import AllocationTrace
import FuzzTargets
import Testing

/// Files of every format, changed at random: a trace that is a legal history, or a typed error, and nothing else.
@Suite struct MutationTests {
    enum Sample: String, CaseIterable {
        case rmm, chrome, tptrace, minimalloc

        func bytes() throws -> [UInt8] {
            switch self {
            case .rmm: return Array(smallLog.utf8)
            case .chrome: return Array(smallProfile.utf8)
            case .minimalloc: return Array("id,lower,upper,size\n1,0,5,3\n2,1,3,4\n3,-4,4,9223372\n".utf8)
            case .tptrace:
                let log = try TemporaryFile(smallLog)
                let file = try TemporaryFile([UInt8](), extension: "tptrace")
                try TraceFile.write(TraceFile.read(log.path).trace, to: file.path, as: .tptrace, machine: .current)
                return try file.bytes
            }
        }
    }

    @Test(arguments: Sample.allCases, [false, true])
    func neverCrash(sample: Sample, compressed: Bool) throws {
        let seed = SeededGenerator.runSeed("MutationTests, \(sample.rawValue)\(compressed ? ".gz" : "")")
        var random = SeededGenerator(seed: seed)
        let original = try compressed ? TemporaryFile(gzip: sample.bytes()).bytes : sample.bytes()
        var (traces, errors) = (0, 0)
        let file = try TemporaryFile(original)
        for _ in 0..<1000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...4, using: &random) { mutate(&bytes, using: &random) }
            try file.replace(bytes)
            do throws(TraceReadError) {
                let trace = try TraceFile.read(file.path).trace
                #expect(isLegal(trace), "seed \(seed)")
                traces += 1
            } catch {
                #expect(!error.description.isEmpty)
                errors += 1
            }
        }
        // Mutations that are all rejected at the header, or that never matter, would test nothing.
        #expect(traces > 10, "seed \(seed)")
        #expect(errors > 10, "seed \(seed)")
    }

    /// Check sums that are right over contents that are wrong: what a damaged file can hardly have, an evil one can.
    @Test func evilChunksNeverCrash() throws {
        let seed = SeededGenerator.runSeed("MutationTests, chunks")
        var random = SeededGenerator(seed: seed)
        let header = try Sample.tptrace.bytes()
        let start = try #require(header.indices.first { header[$0...].starts(with: BinaryTrace.chunkMarker) })
        let file = try TemporaryFile(header)
        for _ in 0..<1000 {
            let payload = (0..<Int.random(in: 0...60, using: &random)).map { _ in
                UInt8.random(in: 0...(Bool.random(using: &random) ? 31 : 255), using: &random)
            }
            let kinds: [BinaryTrace.ChunkKind] = [.events, .threads, .end]
            let chunk = TraceChunk.encoded(kinds.randomElement(using: &random) ?? .end, payload: payload)
            try file.replace(Array(header[..<start]) + chunk + chunk)
            do throws(TraceReadError) {
                #expect(isLegal(try TraceFile.read(file.path).trace), "seed \(seed)")
            } catch {
                guard case .limitExceeded = error.problem else {
                    Issue.record("seed \(seed): \(error)")
                    return
                }
            }
        }
    }

    private func mutate(_ bytes: inout [UInt8], using random: inout SeededGenerator) {
        guard !bytes.isEmpty else { return }
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<7, using: &random) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
        case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 2: bytes.remove(at: place)
        case 3: bytes.insert(contentsOf: bytes[place..<min(place + 40, bytes.count)], at: place)
        case 4: bytes.removeSubrange(place...)
        case 5:
            // What decides a format's structure, put anywhere.
            let marks: [UInt8] = [0, 0xff, 0x80] + Array("\"\\{}[],:\n-.9e".utf8)
            bytes.insert(marks.randomElement(using: &random) ?? 0, at: place)
        default: bytes.swapAt(place, Int.random(in: 0..<bytes.count, using: &random))
        }
    }
}
