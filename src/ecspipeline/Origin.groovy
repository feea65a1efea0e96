package ecspipeline

import com.cloudbees.groovy.cps.NonCPS

/**
 * Which build a canary is of: its tag `ecs-pipeline:build` holds BUILD_URL, or BUILD_TAG where Jenkins has no address.
 * The command line writes the tag (protocol/release_tags.py); both follow tests/vectors/build_tags.json.
 */
class Origin implements Serializable {

    private static final long serialVersionUID = 1L

    private static final int LONGEST = 256
    private static final int KEPT = 246

    /** What this build's tag looks like. */
    @NonCPS
    static String ofBuild(String url, String tag) {
        return tagValue(url ?: tag)
    }

    /** The number of a build of this job; 0 for another job's, and where the tag does not say it for certain. */
    @NonCPS
    static int number(String build, String jobUrl, String tag, String ownNumber) {
        String address = escaped(Text.of(jobUrl))
        String name = escaped(Text.of(tag))
        String rest = ''
        if (build.length() >= LONGEST) { return 0 }
        if (address && build.startsWith(address)) {
            rest = build.substring(address.length()).replace('/', '')
        } else if (name && build.startsWith(name.substring(0, name.length() - ownNumber.length()))) {
            rest = build.substring(name.length() - ownNumber.length())
        }
        return rest ==~ /\d{1,9}/ ? rest.toInteger() : 0
    }

    /** AWS' tags do not take every letter, nor more than 256: another text never has the same value, but for one hash in 2^32. */
    @NonCPS
    static String tagValue(String text) {
        String value = escaped(Text.of(text))
        return value.length() < LONGEST ? value : value.substring(0, KEPT) + '==' + Text.hexadecimal(Text.fnv(value))
    }

    @NonCPS
    private static String escaped(String text) {
        String found = ''
        int i = 0
        while (i < text.length()) {
            int letter = text.codePointAt(i)
            String kept = letter < 128 ? text.substring(i, i + 1) : ''
            found += kept ==~ /[A-Za-z0-9_ .:\/+@-]/ ? kept : '=' + Text.hexadecimal(letter).replaceAll(/^0{1,6}/, '')
            i += letter > 65535 ? 2 : 1
        }
        return found
    }
}
