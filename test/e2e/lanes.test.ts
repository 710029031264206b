import { describeLane } from "./lane-suite.js";

describeLane("inline");
describeLane("thread");
describeLane("process");
