/* What check_mermaid.py has a browser do: mermaid reads each of `diagrams`, and draws those it is asked to. The answer: for each what
 * mermaid found in it, or the fault. */
"use strict";

/* The characters that an entity stands for, as mermaid keeps them between reading and drawing. */
const decoded = (text) => text.replace(/ﬂ°°(\d+)¶ß/g, (_, code) => String.fromCodePoint(Number(code))).replace(/<br ?\/?>/g, "<br/>");

function understood(database) {
    const found = [decoded(database.getDiagramTitle())];
    for (const actor of database.getActors().values()) found.push(decoded(actor.description));
    for (const message of database.getMessages()) {
        const isBar = message.type === database.LINETYPE.ACTIVE_START || message.type === database.LINETYPE.ACTIVE_END;
        found.push(isBar ? message.from : decoded(message.message));
    }
    return found;
}

async function read(diagram, drawn, number) {
    try {
        await mermaid.parse(diagram);
        const { db } = await mermaid.mermaidAPI.getDiagramFromText(diagram);
        const answer = { found: understood(db), texts: null };
        if (!drawn) return answer;
        const { svg } = await mermaid.render(`drawn${number}`, diagram);
        const picture = new DOMParser().parseFromString(svg, "text/html");
        answer.texts = [...picture.querySelectorAll("text")].map((text) => text.textContent);
        answer.scripts = picture.querySelectorAll("script, iframe, img, a, foreignObject *").length;
        return answer;
    } catch (error) {
        return { fault: String(error).slice(0, 400) };
    }
}

async function readAll(diagrams, drawn) {
    mermaid.initialize({ startOnLoad: false });
    const answers = [];
    for (let i = 0; i < diagrams.length; i++) answers.push(await read(diagrams[i], drawn[i], i));
    const result = document.createElement("pre");
    result.id = "result";
    result.textContent = JSON.stringify(answers);
    document.body.append(result);
}
