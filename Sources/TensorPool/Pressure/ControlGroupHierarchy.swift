/// Where control groups that count memory are mounted.
struct ControlGroupHierarchy: Sendable, Hashable {
    /// 1 or 2.
    let version: Int
    /// The folder of the mount, as the process sees it.
    let folder: String
    /// The group that the folder shows; empty for the root of all groups.
    let shownGroup: String

    /// The hierarchies that `/proc/self/mountinfo` names, or the usual folders where it cannot be read.
    static func all(root: String) -> [ControlGroupHierarchy] {
        let usual = [
            ControlGroupHierarchy(version: 2, folder: "/sys/fs/cgroup", shownGroup: ""),
            ControlGroupHierarchy(version: 1, folder: "/sys/fs/cgroup/memory", shownGroup: ""),
        ]
        guard let text = SmallFile.read(root + "/proc/self/mountinfo", byteLimit: 1 << 20) else { return usual }
        return text.split(separator: "\n").compactMap(parse)
    }

    /// A line such as `35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory` (proc(5)).
    static func parse(_ line: Substring) -> ControlGroupHierarchy? {
        let fields = line.split(separator: " ")
        guard fields.count >= 10, let dash = fields.firstIndex(of: "-"), dash >= 6, fields.count > dash + 3 else {
            return nil
        }
        let version: Int
        if fields[dash + 1] == "cgroup2" {
            version = 2
        } else if fields[dash + 1] == "cgroup", fields[dash + 3].split(separator: ",").contains("memory") {
            version = 1
        } else {
            return nil
        }
        let shown = unescaped(fields[3])
        return ControlGroupHierarchy(
            version: version, folder: unescaped(fields[4]), shownGroup: shown == "/" ? "" : shown)
    }

    /// The process's group below ``folder``, from the text of `/proc/self/cgroup`; empty for the folder itself, and
    /// for a group that cannot be seen from here.
    func group(in membership: String) -> String {
        for line in membership.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let isOwn =
                version == 2
                ? fields[0] == "0" && fields[1].isEmpty : fields[1].split(separator: ",").contains("memory")
            guard isOwn else { continue }
            var path = String(fields[2])
            if path == shownGroup { return "" }
            if !shownGroup.isEmpty, path.hasPrefix(shownGroup + "/") { path.removeFirst(shownGroup.count) }
            let isOutside = !path.hasPrefix("/") || path.split(separator: "/").contains("..")
            return isOutside || path == "/" ? "" : path
        }
        return ""
    }

    /// A path as the kernel writes it: space, tab, line feed and backslash as three octal digits.
    private static func unescaped(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Substring(text).utf8
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), let code = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8) {
                bytes.append(code)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
