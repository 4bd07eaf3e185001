import Foundation
import Testing

@testable import Jemalloc

extension JemallocTests {
    struct VersionTests {
        @Test func aVersionIsRead() throws {
            let version = try #require(Version("5.3.0-7-g54eaed1d8b56"))
            #expect((version.major, version.minor, version.patch, version.revision) == (5, 3, 0, 7))
            #expect("\(version)" == "5.3.0-7-g54eaed1d8b56")
            #expect(Version("5.2.1")?.revision == 0)
            #expect(Version("5.2.1-x")?.revision == 0)
        }

        @Test(arguments: ["", "5", "5.3", "5.3.0.1", "a.b.c", "-", "5..0"])
        func whatIsNoVersionIsNil(text: String) {
            #expect(Version(text) == nil)
        }

        @Test func versionsAreOrdered() throws {
            let texts = ["4.9.9", "5.2.1-0-ga", "5.3.0-0-gb", "5.3.0-1-ga", "5.3.1", "5.10.0"]
            let versions = try texts.map { try #require(Version($0)) }
            #expect(versions.shuffled().sorted() == versions)
            #expect(versions[0] < versions[1])
        }

        @Test func theLinkedVersionIsThatOfTheHeader() throws {
            #expect(try Version.linked == Version.header)
            #expect(try Version.linked >= #require(Version("5.0.0")))
        }
    }

    struct BuildTests {
        @Test(arguments: Build.Option.allCases)
        func anOptionIsWhatItsKeySays(option: Build.Option) throws {
            let value: Bool
            do throws(JemallocError) { value = try ControlKey<Bool>(option.rawValue).read() } catch { value = false }
            #expect(Build.includes(option) == value)
        }

        /// The package's statistics need this one; profiling is what the report of jemalloc says.
        @Test func optionsAgreeWithTheReport() {
            #expect(Build.includes(.statistics))
            let report = Statistics.json(.general)
            #expect(report.contains("\"prof\":\(Build.includes(.profiling))"))
            #expect(report.contains("\"debug\":\(Build.includes(.debugging))"))
        }

        /// Arena names came after 5.3.0 (jemalloc pull request 2325).
        @Test func arenaNamesBelongToLaterVersions() throws {
            let release = try #require(Version("5.3.0-0-g0"))
            #expect(try Build.hasArenaNames == (Version.linked > release))
        }

        @Test func sizesAreThoseOfTheMachine() throws {
            #expect(try Build.pageSize == 4096)
            #expect(try Build.quantum == 16)
            #expect(try Build.threadCacheMaximumSize == 32 << 10)
            #expect(try Build.binCount == 36)
            #expect(try Build.largeClassCount == 196)
            #expect(try Build.arenaIndexCount >= 2)
            #expect(try Build.configuration == ControlKey<String>("config.malloc_conf").read())
        }
    }
}
