package harness

import groovy.json.JsonOutput
import groovy.json.JsonSlurper

/** Services on an embedded AWS, under traffic: tests/groovy/production.py, which ends with this process. */
class Production {
    private final Process process
    private final BufferedReader answers

    Production() {
        ProcessBuilder pb = new ProcessBuilder(System.getProperty('ecs-pipeline.python'), '-m', 'tests.groovy.production')
        pb.redirectError(ProcessBuilder.Redirect.INHERIT)
        process = pb.start()
        answers = new BufferedReader(new InputStreamReader(process.inputStream, 'UTF-8'))
    }

    Object ask(Map request) {
        process.outputStream.write((JsonOutput.toJson(request) + '\n').getBytes('UTF-8'))
        process.outputStream.flush()
        String line = answers.readLine()
        assert line : "tests.groovy.production ended at ${request}"
        return new JsonSlurper().parseText(line)
    }

    /** Its input ends, so it does: the embedded AWS and its containers with it. */
    void close() {
        process.outputStream.close()
        assert process.waitFor(60, java.util.concurrent.TimeUnit.SECONDS)
    }
}
