import Foundation
import TensorPool

/// Reads and writes configuration files of pools as JSON.
enum PoolConfigurationFile {
    struct Failure: Error, CustomStringConvertible {
        let path: String
        let reason: String

        var description: String { "\(path): \(reason)" }
    }

    /// Files are some kilobytes at the most; nothing longer is read.
    private static let maximumBytes = 1 << 20

    static func read(_ path: String) throws(Failure) -> PoolConfiguration {
        let data = try contents(of: path)
        do {
            return try JSONDecoder().decode(PoolConfiguration.self, from: data)
        } catch let error as DecodingError {
            throw Failure(path: path, reason: error.reason(in: data))
        } catch {
            throw Failure(path: path, reason: "\(error)")
        }
    }

    private static func contents(of path: String) throws(Failure) -> Data {
        let data: Data
        do {
            let file = try FileHandle(forReadingFrom: URL(filePath: path))
            data = try file.read(upToCount: maximumBytes + 1) ?? Data()
        } catch {
            throw Failure(path: path, reason: error.systemReason)
        }
        guard data.count <= maximumBytes else {
            throw Failure(path: path, reason: "a configuration has at most \(maximumBytes) bytes")
        }
        return data
    }

    /// The file that ``write(_:to:)`` writes.
    static func output(_ path: String) -> OutputFile { OutputFile(path: path, content: "the configuration") }

    static func write(_ configuration: PoolConfiguration, to path: String) throws {
        try output(path).write(Data((try JSONOutput.text(configuration) + "\n").utf8))
    }
}

extension DecodingError {
    /// Where in the JSON, and what is wrong there.
    fileprivate func reason(in data: Data) -> String {
        let context: Context
        switch self {
        case .typeMismatch(_, let at), .valueNotFound(_, let at), .keyNotFound(_, let at), .dataCorrupted(let at):
            context = at
        @unknown default: return "\(self)"
        }
        let keys = context.codingPath.map(\.stringValue).joined(separator: ".")
        guard let place = Self.place(in: data) else {
            return "it is no configuration: " + (keys.isEmpty ? "" : keys + ": ") + context.debugDescription
        }
        return "it is not JSON: " + place
    }

    /// Where the text stops being JSON, which this decoder does not say; nil where it is.
    private static func place(in data: Data) -> String? {
        do {
            _ = try JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed)
            return nil
        } catch {
            return (error as NSError).userInfo[NSDebugDescriptionErrorKey] as? String ?? error.localizedDescription
        }
    }
}
