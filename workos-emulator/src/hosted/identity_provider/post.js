// Sends the page's form, so that nobody has to press its button.

const form = document.querySelector("form[data-post]");
form.querySelector("button").disabled = true;
form.submit();
