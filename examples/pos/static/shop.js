// Lets every <ai-gate> of a page do its work, and shows the answer.
const answer = document.querySelector("#answer");

/** An element with a text. */
function made(tag, text = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}

function table({ title, columns, rows }) {
  const element = made("table");
  element.append(made("caption", title));
  element.insertRow().append(...columns.map((text) => made("th", text)));
  for (const row of rows) element.insertRow().append(...row.map((text) => made("td", text)));
  const scroll = made("div");
  scroll.className = "scroll";
  scroll.append(element);
  return scroll;
}

/** Paragraphs, and lists of the lines that begin with a dash. */
function* prose(lines) {
  let list = null;
  for (const line of lines) {
    if (!line.startsWith("- ")) {
      list = null;
      yield made("p", line);
    } else {
      if (!list) yield (list = made("ul"));
      list.append(made("li", line.slice(2)));
    }
  }
}

function show(told, subject) {
  answer.replaceChildren(made("h2", told.headline), ...prose(told.text));
  if (subject) answer.prepend(Object.assign(made("p", subject), { className: "subject" }));
  if (told.table) answer.append(table(told.table));
  if (told.picture) answer.append(Object.assign(new Image(), { src: told.picture.src, alt: told.picture.title }));
  if (told.notes.length) {
    const notes = made("details");
    notes.append(made("summary", "Notes"), ...prose(told.notes.map((note) => `- ${note}`)));
    answer.append(notes);
  }
  const paid = made("p", `It cost ${told.charged} credits.`);
  paid.className = "note";
  answer.append(paid);
  answer.hidden = false;
  answer.scrollIntoView({ block: "nearest" });
}

for (const gate of document.querySelectorAll("ai-gate")) {
  gate.run = ({ feature }) => {
    const input = gate.dataset.input && document.getElementById(gate.dataset.input);
    return fetch(`/api/ask/${feature}/`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-csrftoken": document.querySelector('meta[name="ai-addons-csrf"]')?.content ?? "",
      },
      body: JSON.stringify({ subject: input ? input.value : gate.dataset.subject ?? "" }),
    });
  };
  gate.addEventListener("ai-gate:done", async (event) => show(await event.detail.result.json(), gate.dataset.subject));
}
document.querySelector("#question-form")?.addEventListener("submit", (event) => {
  event.preventDefault();
  document.querySelector("#ask").go();
});
