package ecspipeline

import com.cloudbees.groovy.cps.NonCPS

/** Text from outside, made fit for where it goes; and short names of long ones. */
class Text implements Serializable {

    private static final long serialVersionUID = 1L

    private static final String DIGITS = '0123456789abcdefghijklmnopqrstuv'
    private static final int HASHED = 5

    /** The value's text; '' when there is none. */
    @NonCPS
    static String of(Object value) {
        return value == null ? '' : value.toString()
    }

    /** One line without control characters: a line break would forge lines of the console, an escape hide them. */
    @NonCPS
    static String line(Object value) {
        return of(value).replaceAll(/[\p{C}\p{Zl}\p{Zp}]+/, ' ').trim()
    }

    /** One line of so many letters at most. */
    @NonCPS
    static String cut(Object value, int most) {
        String text = line(value)
        return text.length() > most ? text.take(most - 3) + '...' : text
    }

    /** For descriptions, which an administrator's markup formatter shows: nothing in it is markup, nor parts two services. */
    @NonCPS
    static String plain(Object value) {
        return line(value).replace('<', '\u2039').replace('>', '\u203a').replace('&', '+').replace(';', ',')
            .replace('"', '\u201d').replace('\'', '\u2019').replace('`', '\u2019')
    }

    /** A number without needless digits: 25 of 25.0. */
    @NonCPS
    static String number(Object value) {
        return of(value).replaceAll(/\.0+$/, '')
    }

    /** Five letters and digits that tell lists of names apart which look alike once they are joined (FNV-1a, 32 bits). */
    @NonCPS
    static String hash(List parts) {
        long hash = fnv(parts.join('\n'))
        String found = ''
        for (int i = 0; i < HASHED; i++) {
            int digit = (hash % 32).intValue()
            found = DIGITS.substring(digit, digit + 1) + found
            hash = (hash - digit).intdiv(32)
        }
        return found
    }

    /** FNV-1a, 32 bits, over the letters of a text. */
    @NonCPS
    static long fnv(String text) {
        long hash = 2166136261L
        for (int i = 0; i < text.length(); i++) {
            hash = ((hash ^ text.codePointAt(i)) * 16777619L) % 4294967296L
        }
        return hash
    }

    /** Eight hexadecimal digits of a number below 2^32. */
    @NonCPS
    static String hexadecimal(long number) {
        String found = ''
        long rest = number
        for (int i = 0; i < 8; i++) {
            int digit = (rest % 16).intValue()
            found = DIGITS.substring(digit, digit + 1) + found
            rest = (rest - digit).intdiv(16)
        }
        return found
    }
}
