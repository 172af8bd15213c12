const find = id => document.getElementById(id)
const pause = time => new Promise(done => setTimeout(done, time))

let last = 0 // the number of the last message shown: the server sends later ones

// poll requests new messages, waits for them, and repeats.
function poll() {
  const control = new AbortController()
  const run = async () => {
    state("live")
    while (!control.signal.aborted) {
      try {
        const answer = await fetch("/poll?after=" + last, { signal: control.signal })
        if (!answer.ok) throw new Error(answer.statusText)
        show(await answer.json())
        state("live")
      } catch {
        if (control.signal.aborted) return
        state("connecting again")
        await pause(1000)
      }
    }
  }
  run()
  return {
    stop() { control.abort() },
    async send(message) {
      const answer = await fetch("/send", {
        method: "POST", headers: { "Content-Type": "application/json" }, body: message,
      })
      if (!answer.ok) throw new Error(answer.statusText)
    },
  }
}

// socket keeps a WebSocket open.
function socket() {
  let link, stopped = false
  const connect = () => {
    if (stopped) return
    link = new WebSocket("/socket?after=" + last)
    link.onopen = () => state("live")
    link.onmessage = event => show(JSON.parse(event.data))
    link.onclose = () => {
      if (stopped) return
      state("connecting again")
      setTimeout(connect, 1000)
    }
  }
  state("connecting")
  connect()
  return {
    stop() { stopped = true; link.close() },
    async send(message) {
      if (link.readyState !== WebSocket.OPEN) throw new Error("not connected")
      link.send(message)
    },
  }
}

const transports = { poll, socket }
let transport

function use(name) {
  transport?.stop()
  transport = transports[name]()
  find("transport").querySelector(`[value=${name}]`).checked = true
  sessionStorage.via = name
}

function state(text) {
  find("state").textContent = text
  find("state").className = text
}

// show appends messages. Their text is never parsed as HTML.
function show(news) {
  const page = document.querySelector("main")
  const atEnd = page.scrollHeight - page.scrollTop - page.clientHeight < 80
  for (const message of news) {
    if (message.number <= last) continue
    if (last && message.number > last + 1) add("missing", element("p", "Some messages are missing here."))
    last = message.number
    const time = new Date(message.time).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })
    const via = element("i", message.via === "socket" ? "WebSocket" : "long polling")
    via.className = message.via
    const head = element("div")
    head.append(element("b", message.name), element("time", time), via)
    add(message.name === find("name").value ? "own" : "", head, element("p", message.text))
  }
  if (atEnd) page.scrollTop = page.scrollHeight
}

function add(kind, ...content) {
  const row = element("li")
  row.className = kind
  row.append(...content)
  find("messages").append(row)
}

function element(name, text = "") {
  const made = document.createElement(name)
  made.textContent = text
  return made
}

find("form").onsubmit = async event => {
  event.preventDefault()
  const text = find("text").value
  find("text").value = ""
  try {
    await transport.send(JSON.stringify({ name: find("name").value, text }))
  } catch {
    find("text").value = text // for another attempt
    state("connecting again")
  }
}
find("transport").onchange = event => use(event.target.value)
find("name").onchange = () => { sessionStorage.name = find("name").value }

const asked = new URLSearchParams(location.search)
find("name").value = asked.get("name") ?? sessionStorage.name ?? ""
use(transports[asked.get("via")] ? asked.get("via") : sessionStorage.via ?? "poll")
find(find("name").value ? "text" : "name").focus()
