// Copies text; falls back to a selection where the clipboard API is missing: on a page without TLS.

const announcer = document.getElementById("announcer");

export function say(text) {
  announcer.textContent = text;
}

export async function copy(text, button) {
  let done = false;
  try {
    await navigator.clipboard.writeText(text);
    done = true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "unseen";
    document.body.append(area);
    area.select();
    done = document.execCommand("copy");
    area.remove();
    button.focus();
  }
  const icon = button.classList.contains("icon");
  button.dataset.label ??= button.textContent;
  if (icon) button.classList.toggle("done", done);
  else button.textContent = done ? "Copied" : "Not copied";
  say(done ? "Copied" : "It could not be copied");
  clearTimeout(button.timer);
  button.timer = setTimeout(() => {
    button.textContent = button.dataset.label;
    button.classList.remove("done");
  }, 1500);
}
