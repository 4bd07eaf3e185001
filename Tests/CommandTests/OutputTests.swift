import Testing

@testable import tensor_pool

@Suite struct OutputTests {
    @Test func tablesAlign() {
        var table = FigureTable([.text("pool"), .number("ns/pair"), .text("note")])
        #expect(table.text == "")
        table.append(["jemalloc", "36.5", "x"])
        table.append(["system", "1,992", ""])
        #expect(
            table.text == """
                pool      ns/pair  note
                --------  -------  ----
                jemalloc     36.5  x
                system      1,992
                """)
    }

    @Test func figuresAreReadable() {
        #expect(Figures.count(11_917) == "11,917")
        #expect(Figures.decimal(4.2149) == "4.21")
        #expect(Figures.decimal(36.54) == "36.5")
        #expect(Figures.decimal(1992.4) == "1,992")
        #expect(Figures.mebibytes(326_696_960) == "311.6")
        #expect(Figures.percent(0.207) == "20.7 %")
        #expect(Figures.size(64 << 10) == "64 KiB")
        #expect(Figures.size(1 << 20) == "1 MiB")
        #expect(Figures.size(1500) == "1,500 B")
        #expect(Figures.size(3 << 30) == "3 GiB")
        #expect(Figures.size(0) == "0 B")
    }

    @Test func theMachineIsDescribed() {
        let machine = MachineDescription.current
        #expect(machine.cores >= 1)
        #expect(machine.memoryBytes > 1 << 28)
        #expect([4096, 16_384, 65_536].contains(machine.pageBytes))
        #expect(machine.kernel.count > "Linux ".count)
        #expect(!machine.processor.isEmpty)
        #expect(machine.date.hasSuffix("Z"))
        if let setting = machine.transparentHugePages { #expect(["always", "madvise", "never"].contains(setting)) }
        #expect(machine.line.contains(machine.kernel))
    }
}
