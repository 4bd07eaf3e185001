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
        do {
            let file = try FileHandle(forReadingFrom: URL(filePath: path))
            let data = try file.read(upToCount: maximumBytes + 1) ?? Data()
            guard data.count <= maximumBytes else {
                throw Failure(path: path, reason: "a configuration has at most \(maximumBytes) bytes")
            }
            return try JSONDecoder().decode(PoolConfiguration.self, from: data)
        } catch let failure as Failure {
            throw failure
        } catch let error as TensorPoolError {
            throw Failure(path: path, reason: "\(error)")
        } catch let error as DecodingError {
            throw Failure(path: path, reason: "it is not JSON: \(error.localizedDescription)")
        } catch {
            throw Failure(path: path, reason: error.localizedDescription)
        }
    }

    static func write(_ configuration: PoolConfiguration, to path: String) throws(Failure) {
        do {
            let text = try JSONOutput.text(configuration) + "\n"
            try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw Failure(path: path, reason: error.localizedDescription)
        }
    }
}
