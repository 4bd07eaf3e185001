/// How the page looks: in light, in dark, on a phone, on paper.
enum ReportStyle {
    static let text = """
        :root { color-scheme: light dark; --paper: #fff; --card: #f6f8fa; --ink: #1c2430; --soft: #5b6675; --rule: #dfe4ea;
          --bad: #b3261e; --optimized: #1d4ed8; --adaptive: #0a7d74; --standard: #c2570c; --jemalloc: #5c7a0b;
          --system: #77818f; --tcmalloc: #a8480f; --mimalloc: #6b5a94; --suggested: #8b2fc9; --live: #0a7d74; --cached: #e0a11b; --reserved: #1d4ed8;
          --c0: #7b8794; --c1: #2f9e8f; --c2: #3b6fe0; --c3: #e08a1b; --c4: #cc2b5e; }
        @media (prefers-color-scheme: dark) { :root { --paper: #12161c; --card: #1a2029; --ink: #e6eaf0; --soft: #9aa6b5;
          --rule: #2b333e; --bad: #ff8a80; --optimized: #74a5ff; --adaptive: #3fcfc0; --standard: #ff9f57;
          --jemalloc: #a9cc4e; --system: #97a3b3; --tcmalloc: #e58e5a; --mimalloc: #ab9ad6; --suggested: #c995f5; --live: #3fcfc0; --cached: #ffcf5c; --reserved: #74a5ff;
          --c0: #8d99a8; --c1: #45c4b2; --c2: #6d9bff; --c3: #ffb04f; --c4: #ff6f9d; } }
        * { box-sizing: border-box; }
        body { background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; max-width: 1080px;
          margin: 28px auto 72px; padding: 0 18px; overflow-wrap: break-word; }
        h1 { font-size: 26px; margin: 0; } h2 { font-size: 19px; margin: 40px 0 4px; } h3 { font-size: 14px; margin: 20px 0 4px; }
        header p, section > p { margin: 2px 0 8px; color: var(--soft); max-width: 76ch; } .file { font-family: ui-monospace, monospace; }
        .soft { color: var(--soft); font-size: 13px; } .warning { color: var(--bad); }
        .findings { margin: 8px 0; padding: 12px 18px 12px 38px; background: var(--card); border: 1px solid var(--rule); border-radius: 10px; }
        .findings li { margin: 6px 0; max-width: 82ch; } .findings li.pool, .findings li.gain { font-weight: 600; }
        .findings li.leak, .findings li.recording { color: var(--bad); }
        details { margin: 8px 0; } summary { cursor: pointer; color: var(--soft); }
        pre { font-size: 12px; overflow-x: auto; background: var(--card); padding: 10px; border-radius: 8px; }
        .grid { display: grid; gap: 12px 28px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 310px), 1fr)); }
        .two { grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); }
        svg { width: 100%; height: auto; display: block; } svg text { font: 12px system-ui, sans-serif; fill: var(--ink); }
        svg .soft { fill: var(--soft); font-size: 11px; } svg .rule { stroke: var(--rule); } svg .spread { stroke: var(--ink); stroke-width: 1.6; }
        svg .ring { fill: var(--paper); stroke: var(--ink); stroke-width: 1.4; } svg .curve { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
        canvas { width: 100%; height: 440px; display: block; border: 1px solid var(--rule); border-radius: 8px; touch-action: none; cursor: grab; }
        .controls { display: flex; flex-wrap: wrap; gap: 8px 14px; align-items: center; margin: 6px 0; }
        select, button { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--rule); border-radius: 6px; padding: 3px 10px; }
        .legend { display: flex; flex-wrap: wrap; gap: 2px 16px; font-size: 13px; margin: 6px 0; }
        .legend i { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin-right: 5px; }
        .scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: 13px; width: 100%; }
        th, td { padding: 4px 8px; border-bottom: 1px solid var(--rule); text-align: right; vertical-align: top; white-space: nowrap;
          font-variant-numeric: tabular-nums; } th { color: var(--soft); font-weight: 600; }
        th:first-child, td:first-child { text-align: left; } .prose td:nth-child(n+2), .prose th:nth-child(n+2) { text-align: left; }
        .prose td:last-child { white-space: normal; min-width: 240px; }
        @media (max-width: 600px) { body { margin-top: 14px; padding: 0 12px; } .findings { padding: 8px 10px 8px 30px; } canvas { height: 300px; } }
        @media print { :root { color-scheme: light; } body { max-width: none; margin: 0; font-size: 11pt; } .controls, details { display: none; }
          section { break-inside: avoid; } th, td { white-space: normal; } canvas { height: 300px; } .scroll { overflow: visible; } }
        """
}
