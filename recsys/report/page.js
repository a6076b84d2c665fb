// Copies what a button names, and unfolds the page while it is printed. The page reads the same without this.
for (const button of document.querySelectorAll("button[data-copies]")) {
  const code = document.getElementById(button.dataset.copies);
  button.hidden = false;
  button.addEventListener("click", () => {
    const range = document.createRange();
    range.selectNodeContents(code);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    const copied = document.execCommand("copy");
    button.nextElementSibling.textContent = copied ? "Copied." : "Selected: copy it with the keyboard.";
  });
}
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open], .screen)")];
  for (const each of opened) each.open = true;
});
addEventListener("afterprint", () => {
  for (const each of opened) each.open = false;
});
