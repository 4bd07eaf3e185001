internal import PoolModel
internal import TensorPool

extension FuzzTarget {
    /// The files that are read, where control groups are mounted as `mountinfo` below says.
    private static let pressureFiles = [
        "proc/pressure/memory", "proc/meminfo", "proc/self/cgroup", "proc/self/mountinfo",
        "sys/fs/cgroup/job/memory.current", "sys/fs/cgroup/job/memory.max", "sys/fs/cgroup/memory.high",
        "sys/fs/cgroup/job/memory.stat", "sys/fs/cgroup/job/memory.events", "sys/fs/cgroup/memory.current",
        "sys/fs/cgroup/memory/memory.usage_in_bytes", "sys/fs/cgroup/memory/memory.limit_in_bytes",
        "sys/fs/cgroup/memory/memory.stat", "sys/fs/cgroup/memory/memory.oom_control",
        "sys/fs/cgroup/job/memory.high",
    ]

    /// The bytes are files, one after the other, with a zero between them; an empty one is missing.
    static func readPressure(_ bytes: [UInt8]) throws(ModelFailure) {
        let contents = bytes.split(separator: 0, omittingEmptySubsequences: false)
        for (index, name) in pressureFiles.enumerated() {
            if index < contents.count, !contents[index].isEmpty {
                try ScratchFiles.write("root/" + name, contents[index])
            } else {
                ScratchFiles.remove("root/" + name)
            }
        }
        let readings = MemoryPressureSources(root: ScratchFiles.folder + "/root").read()
        for reading in readings {
            let isSensible =
                switch reading {
                case .stalls(let figures): (0...100).contains(figures.some) && (0...100).contains(figures.full)
                case .controlGroup(let figures): figures.usedPercent >= 0 && figures.usedPercent.isFinite
                case .availableMemory(let figures): (0...100).contains(figures.usedPercent)
                case .other: false
                }
            guard isSensible, !reading.description.isEmpty else { throw ModelFailure("read as \(reading)") }
        }
        guard !MemoryPressure(readings: readings).source.isEmpty else { throw ModelFailure("a level of no source") }
    }
}
