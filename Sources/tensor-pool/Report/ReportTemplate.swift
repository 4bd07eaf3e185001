/// The page's skeleton.
enum ReportTemplate {
    static let text = """
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Tensor memory of {{file}}</title><style>{{{style}}}</style></head><body>
        <header><h1>Tensor memory</h1><p class="file">{{file}}</p><p>{{summary}}</p><p>{{machine}}</p></header>
        <noscript><p class="warning">The plots need JavaScript. The findings below do not.</p></noscript>
        <section><h2>Findings</h2><ol class="findings">
        {{#findings}}<li class="{{kind}}">{{text}}</li>
        {{/findings}}</ol>
        <details><summary>The suggested configuration, ready to be loaded</summary><pre>{{configuration}}</pre></details></section>
        <section><h2>Cost per pool and peer</h2><p>Nanoseconds of processor time an event by replay, {{turns}} (touch: {{touch}}). \
        The bar is the median of the later half of each process's rounds, the line the middle half of those, the ring the first round.</p>
        <div id="cost" class="plot"></div></section>
        <section><h2>Live, cached and reserved bytes</h2><p>Over one replay in each pool's default configuration, as the pool itself counts. \
        Cached includes what was made ready ahead of time; reserved is live, padding and cached. Read at up to 600 moments, those with the most live bytes among them.</p>
        <div class="controls"><label>Along <select class="axis"></select></label></div><div id="curves" class="grid"></div></section>
        <section><h2>Where tensors lie</h2><p>Address upwards, events or time to the right, a rectangle for each tensor. Turn the wheel or pinch \
        to zoom, drag to move, double-click for everything.</p>
        <div class="controls"><label>Pool <select id="mappool"></select></label> <label>Along <select class="axis"></select></label> <button id="mapreset" type="button">Everything</button>
        <span id="maphint" class="soft" role="status"></span></div>
        <canvas id="map" width="1000" height="440" aria-label="Allocation map: addresses by time"></canvas><div id="maplegend" class="legend"></div>
        <p id="mapnote" class="soft"></p></section>
        <section><h2>Sizes and lifetimes</h2><div class="grid two"><div><h3>Allocations by category</h3><div id="categories" class="plot"></div></div>
        <div><h3>Bytes asked for by category</h3><div id="bytes" class="plot"></div></div>
        <div><h3>Lifetimes in events</h3><div id="lifetimes" class="plot"></div></div>
        <div><h3>Reuse distance in events</h3><div id="reuse" class="plot"></div></div></div>
        <h3>The sizes that take the most bytes</h3><div class="scroll"><table id="sizes"></table></div></section>
        <section><h2>What the adaptive pool decides, and why</h2><div class="scroll"><table id="decisions" class="prose"></table></div></section>
        <section><h2>All figures</h2><div class="scroll"><table id="costs"></table></div></section>
        <script type="application/json" id="figures">{{{json}}}</script><script>{{{script}}}</script>
        </body></html>

        """
}
