/// How the page looks, in light and in dark.
enum HTMLStyle {
    static let text = """
        :root { color-scheme: light dark; --paper: #fff; --ink: #1c2430; --soft: #5b6675; --rule: #dfe4ea;
          --good: #12733f; --bad: #b3261e; --optimized: #1d4ed8; --adaptive: #0a7d74; --standard: #c2570c;
          --floor: #1c2430; --tcmalloc: #8b2fc9; --mimalloc: #cc2b5e; --jemalloc: #5c7a0b; --glibc: #77818f;
          --swift: #a8740a; }
        @media (prefers-color-scheme: dark) { :root { --paper: #12161c; --ink: #e6eaf0; --soft: #9aa6b5; --rule: #2b333e;
          --good: #58c98a; --bad: #ff8a80; --optimized: #74a5ff; --adaptive: #3fcfc0; --standard: #ff9f57;
          --floor: #e6eaf0; --tcmalloc: #c995f5; --mimalloc: #ff86ab; --jemalloc: #a9cc4e; --glibc: #97a3b3;
          --swift: #e5b94f; } }
        body { background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; max-width: 1120px;
          margin: 32px auto 80px; padding: 0 20px; }
        h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 44px 0 6px; }
        h3 { font-size: 15px; margin: 26px 0 4px; } p { margin: 4px 0 10px; color: var(--soft); max-width: 74ch; }
        svg { width: 100%; height: auto; display: block; } svg text { font: 12.5px system-ui, sans-serif; fill: var(--ink); }
        svg .tick { fill: var(--soft); font-size: 11.5px; } svg .grid { stroke: var(--rule); }
        svg .one { stroke: var(--soft); stroke-width: 1.5; } svg .line { fill: none; stroke: var(--c); stroke-width: 1.4; }
        svg .own { stroke-width: 2.6; } svg .dashed { stroke-dasharray: 5 4; } svg .fill { fill: var(--c); }
        svg .ring { fill: var(--paper); stroke: var(--c); stroke-width: 1.8; } svg .ink { fill: var(--c); }
        .optimized { --c: var(--optimized); } .adaptive { --c: var(--adaptive); } .standard { --c: var(--standard); }
        .floor { --c: var(--floor); } .tcmalloc { --c: var(--tcmalloc); } .mimalloc { --c: var(--mimalloc); }
        .jemalloc { --c: var(--jemalloc); } .glibc { --c: var(--glibc); } .swift { --c: var(--swift); }
        .legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 12px 0; font-size: 13px; }
        .legend span { display: inline-flex; align-items: center; gap: 6px; } .legend svg { width: 18px; height: 18px; }
        .scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: 13px; width: 100%; }
        th, td { padding: 4px 6px; border-bottom: 1px solid var(--rule); text-align: right; vertical-align: top;
          font-variant-numeric: tabular-nums; white-space: nowrap; }
        th { color: var(--soft); font-weight: 600; } th:first-child, td:first-child { text-align: left; }
        table.prose td, table.prose th { text-align: left; white-space: normal; }
        table.prose td:first-child { width: 38%; } table.prose td:nth-child(2) { white-space: nowrap; } tr.own td { font-weight: 600; }
        .holds { color: var(--good); font-weight: 600; } .misses { color: var(--bad); font-weight: 600; }
        small { color: var(--soft); font-weight: 400; } .grid2 { display: grid; gap: 8px 24px;
          grid-template-columns: repeat(auto-fit, minmax(380px, 1fr)); }
        pre { font-size: 12px; color: var(--soft); white-space: pre-wrap; overflow-wrap: anywhere; }
        """
}
