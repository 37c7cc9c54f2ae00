import "../design/tokens.css";
import "../design/base.css";

import { mount } from "svelte";

import Shell from "./Shell.svelte";

mount(Shell, { target: document.getElementById("studio")! });
