"""The code-quality pass: how an answer reads. The only room that talks to Ollama."""
