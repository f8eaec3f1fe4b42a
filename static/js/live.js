// Live updates: a websocket that only hints what changed. A hint {topic, key} becomes the DOM event "live:<topic>" on <body>;
// elements with hx-trigger="live:<topic> from:body" then fetch the truth. After a reconnect everything live is fetched again,
// because hints may have been missed meanwhile.
(() => {
  "use strict";
  if (!document.body.hasAttribute("data-live")) return;
  const address = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/live/`;
  const FIRST_PAUSE = 500;
  const LONGEST_PAUSE = 30_000;
  const NOT_WELCOME = 4403; // the session or the membership ended: only a new page load can change that
  let pause = FIRST_PAUSE;
  let socket = null;
  let connectedBefore = false;
  let timer = 0;

  const announce = (topic, key) => {
    document.body.dispatchEvent(new CustomEvent(`live:${topic}`, { bubbles: true, detail: { topic, key } }));
  };
  const refetch = () => {
    const topics = new Set();
    for (const element of document.querySelectorAll("[hx-trigger*='live:']")) {
      for (const match of element.getAttribute("hx-trigger").matchAll(/live:([\w.:-]+)/g)) topics.add(match[1]);
    }
    for (const topic of topics) announce(topic, "");
  };
  const connect = () => {
    clearTimeout(timer);
    socket = new WebSocket(address);
    socket.addEventListener("open", () => {
      pause = FIRST_PAUSE;
      document.body.dataset.live = "on";
      if (connectedBefore) refetch();
      connectedBefore = true;
    });
    socket.addEventListener("message", (event) => {
      const { topic, key } = JSON.parse(event.data);
      if (topic) announce(topic, key || "");
    });
    socket.addEventListener("close", (event) => {
      document.body.dataset.live = "off";
      socket = null;
      if (event.code === NOT_WELCOME) return;
      // Spread out, so that a thousand pages do not come back in the same instant.
      timer = setTimeout(connect, pause * (0.5 + Math.random() / 2));
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    });
  };
  addEventListener("online", () => { if (!socket) { pause = FIRST_PAUSE; connect(); } });
  addEventListener("pagehide", () => { clearTimeout(timer); socket?.close(); });
  addEventListener("pageshow", (event) => { if (event.persisted && !socket) connect(); });
  connect();
})();
