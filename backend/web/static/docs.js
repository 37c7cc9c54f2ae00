// Starts Swagger UI; a file of its own because the page's policy allows no script inside the page.
window.addEventListener("load", () => {
  window.ui = SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#swagger",
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    filter: false,
    persistAuthorization: true,
    tryItOutEnabled: true,
    validatorUrl: null,
  });
});
